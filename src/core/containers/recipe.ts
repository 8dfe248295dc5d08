import type { ImageConfig, SeenImage } from '../host/engine.ts'
import { expand, type Instruction, parseDockerfile, type Recipe, type Stage } from '../model/dockerfile.ts'
import { formatImageRef, parseImageRef } from '../model/name.ts'
import { DcmError } from '../reply/error.ts'

/** `context`: whether there is something that COPY reads from. @throws DcmError `usage` naming every line that is not offered */
export function readRecipe(text: string, context: boolean): Recipe {
  const recipe = parseDockerfile(text)
  const problems = Array.isArray(recipe)
    ? recipe
    : !context
      ? recipe.stages
          .flatMap((stage) => stage.steps)
          .filter((step) => step.verb === 'COPY' && step.from === null)
          .map(({ line }) => ({
            line,
            says: 'COPY needs a folder to copy from: give one of yours (build NAME ./app), or one of /storage with --context',
          }))
      : []
  if (problems.length > 0) {
    const told = problems.slice(0, 8).map(({ line, says }) => `line ${line}: ${says}`)
    const more = problems.length > told.length ? ` (and ${problems.length - told.length} more)` : ''
    throw new DcmError('usage', `This Dockerfile cannot be built here. ${told.join('; ')}${more}.`, {
      try: 'help build',
    })
  }
  return recipe as Recipe
}

const wrong = (line: number, says: string) => new DcmError('usage', `Line ${line}: ${says}.`, { try: 'help build' })

/** Characters that one value, and all of a recipe's together, may come to: `ENV A=$A$A` doubles with each line. */
const mostOfOne = 65_536
const mostOfAll = 262_144

type Fill = (line: number, text: string, vars: ReadonlyMap<string, string>) => string

/** Fills in the variables of one recipe. @throws DcmError `usage` where it grows too long */
function createFill(): Fill {
  let room = mostOfAll
  return (line, text, vars) => {
    const filled = expand(text, vars, Math.min(mostOfOne, room))
    if (filled === null)
      throw wrong(line, 'with its variables filled in, a value is over 64 KB or all of them are over 256 KB')
    room -= filled.length
    return filled
  }
}

/** What ARG lines give: what was said with `--build-arg`, and else what stands there. */
function giveArgument(fill: Fill, vars: Map<string, string>, step: Instruction, given: ReadonlyMap<string, string>) {
  if (step.verb !== 'ARG') return
  const value = given.get(step.name) ?? (step.value === null ? undefined : fill(step.line, step.value, vars))
  if (value !== undefined) vars.set(step.name, value)
}

const pairsOf = (entries: readonly string[]) =>
  new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const))

/** What ARG lines before FROM give. */
function globalsOf(fill: Fill, { before }: Recipe, given: readonly string[]): Map<string, string> {
  const vars = new Map<string, string>()
  for (const step of before) giveArgument(fill, vars, step, pairsOf(given))
  return vars
}

/** The images that stages build on, as a member's own names. @throws DcmError `usage` when one is none */
export function basesOf(recipe: Recipe, given: readonly string[]): string[] {
  const fill = createFill()
  const vars = globalsOf(fill, recipe, given)
  return recipe.stages.map(({ from, line }) => {
    const name = fill(line, from, vars)
    const ref = parseImageRef(name)
    if (ref) return formatImageRef(ref)
    throw new DcmError(
      'usage',
      `Line ${line}: FROM takes an image that \`images\` lists, and ${name.slice(0, 80)} is no such name; pull it first and name it with --name.`,
      { try: 'images' },
    )
  })
}

/** One thing to do inside, in order. */
export type Task =
  | { kind: 'run'; line: number; said: string; argv: string[]; env: string[]; user: string; folder: string }
  | { kind: 'folder'; line: number; said: string; path: string }
  | { kind: 'copy'; line: number; said: string; stage: number | null; sources: string[]; target: string; owner: string }

const path = (line: number, from: string, text: string): string => {
  const whole = text.startsWith('/') ? text : `${from === '/' ? '' : from}/${text}`
  const parts: string[] = []
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const plain = `/${parts.join('/')}`
  if (plain.length > 1000 || /[\p{Cc}"'\\$]/u.test(plain)) throw wrong(line, 'a path holds what no path here may hold')
  return plain
}

/** What an image says that is built on. */
type Base = Pick<SeenImage, 'env' | 'entrypoint' | 'command'>

/**
 * What a recipe comes to on these bases, stage by stage: what is done, and what an image of it says of itself.
 * @throws DcmError `usage`
 */
export function plan(
  recipe: Recipe,
  given: readonly string[],
  bases: readonly Base[],
): { tasks: Task[]; config: ImageConfig }[] {
  const args = pairsOf(given)
  const named = [...recipe.before, ...recipe.stages.flatMap((stage) => stage.steps)]
  const strange = [...args.keys()].find((name) => !named.some((one) => one.verb === 'ARG' && one.name === name))
  if (strange !== undefined) throw wrong(1, `there is no ARG ${strange.slice(0, 60)} for --build-arg`)
  const fill = createFill()
  const globals = globalsOf(fill, recipe, given)
  return recipe.stages.map((stage, at) => planStage(fill, recipe, stage, args, globals, bases[at]!))
}

const bare: Base = { env: [], entrypoint: [], command: [] }

/**
 * Whether a recipe's values stay within bounds, as far as can be told before its bases have been looked at.
 * @throws DcmError `usage`
 */
export function checkValues(recipe: Recipe, given: readonly string[]): void {
  const stages = recipe.stages.map((stage) => ({
    ...stage,
    steps: stage.steps.filter(({ verb }) => verb === 'ARG' || verb === 'ENV' || verb === 'LABEL'),
  }))
  plan(
    { ...recipe, stages },
    given,
    stages.map(() => bare),
  )
}

function planStage(
  fill: Fill,
  recipe: Recipe,
  stage: Stage,
  args: ReadonlyMap<string, string>,
  globals: ReadonlyMap<string, string>,
  base: Base,
): { tasks: Task[]; config: ImageConfig } {
  const env = pairsOf(base.env)
  const set = new Map<string, string>()
  const vars = new Map(env)
  // What stands before FROM is there for an ARG line that names it again.
  const known = new Set<string>()
  const tasks: Task[] = []
  const config: ImageConfig = {
    ...{ entrypoint: base.entrypoint, command: base.command, env: [], user: '', folder: '', exposes: [], labels: {} },
  }
  let [user, folder] = ['0', '/']
  for (const step of stage.steps) {
    const { line, said } = step
    const value = (text: string) => {
      const result = fill(line, text, vars)
      if (/[\p{Cc}]/u.test(result)) throw wrong(line, 'a value holds a control character')
      return result
    }
    switch (step.verb) {
      case 'ARG':
        known.add(step.name)
        // What ENV says is stronger. Docker docs, "Using ARG variables".
        if (set.has(step.name)) break
        if (step.value === null && globals.has(step.name)) vars.set(step.name, globals.get(step.name)!)
        else giveArgument(fill, vars, step, args)
        break
      case 'ENV':
        for (const [name, text] of step.pairs) set.set(name, value(text))
        for (const [name, text] of set) vars.set(name, text)
        break
      case 'LABEL':
        for (const [name, text] of step.pairs) config.labels[name] = value(text)
        break
      case 'WORKDIR':
        folder = path(line, folder, value(step.value))
        config.folder = folder
        tasks.push({ kind: 'folder', line, said, path: folder })
        break
      case 'USER':
        user = value(step.value)
        if (!/^[a-z0-9_][a-z0-9_.-]{0,31}(?::[a-z0-9_][a-z0-9_.-]{0,31})?$/i.test(user))
          throw wrong(line, 'USER takes NAME[:GROUP]')
        config.user = user
        break
      case 'EXPOSE':
        for (const port of step.ports.map(value)) {
          if (!/^[1-9]\d{0,4}(?:\/(?:tcp|udp))?$/.test(port) || Number.parseInt(port) > 65_535)
            throw wrong(line, 'EXPOSE takes ports like 80 or 53/udp')
          config.exposes.push(port.includes('/') ? port : `${port}/tcp`)
        }
        break
      case 'CMD':
      case 'ENTRYPOINT': {
        const argv = step.argv ?? ['/bin/sh', '-c', step.text]
        if (step.verb === 'CMD') config.command = argv
        else
          [config.entrypoint, config.command] = [
            argv,
            stage.steps.some((one) => one.verb === 'CMD' && one.line < line) ? config.command : [],
          ]
        break
      }
      case 'COPY': {
        const sources = step.sources.map(value)
        if (sources.some((one) => one.split('/').includes('..')))
          throw wrong(line, 'COPY reads below the folder of --context or the stage, so .. has no place in it')
        const from = recipe.stages.findIndex(
          (one, n) => step.from !== null && (String(n) === step.from || one.name === step.from.toLowerCase()),
        )
        if (from >= 0 && sources.some((one) => /^[/.]*$/.test(one)))
          throw wrong(line, 'COPY --from names what to copy, and not all there is')
        const target = value(step.target)
        const into = target.endsWith('/') || target === '.' || sources.length > 1
        const at = path(line, folder, target)
        tasks.push({
          kind: 'copy',
          stage: from < 0 ? null : from,
          line,
          said,
          sources,
          target: into && at !== '/' ? `${at}/` : at,
          owner: step.owner ?? '',
        })
        break
      }
      case 'RUN': {
        const passed = [...vars].filter(
          ([name]) => set.has(name) || (known.has(name) && vars.has(name) && !env.has(name)),
        )
        tasks.push({
          ...{ kind: 'run', line, said, argv: step.argv ?? ['/bin/sh', '-c', step.text] },
          ...{ env: passed.map(([name, text]) => `${name}=${text}`), user, folder },
        })
      }
    }
  }
  config.env = [...set].map(([name, text]) => `${name}=${text}`)
  return { tasks, config }
}
