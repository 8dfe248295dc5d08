/** One instruction of a Dockerfile, with the line that it begins on. `RUN` and the like in exec form have `argv`. */
export type Instruction = { line: number; said: string } & (
  | { verb: 'ARG'; name: string; value: string | null }
  | { verb: 'ENV' | 'LABEL'; pairs: [string, string][] }
  | { verb: 'RUN' | 'CMD' | 'ENTRYPOINT'; argv: string[] | null; text: string }
  | { verb: 'COPY'; from: string | null; owner: string | null; sources: string[]; target: string }
  | { verb: 'WORKDIR' | 'USER'; value: string }
  | { verb: 'EXPOSE'; ports: string[] }
)

/** One base, and what is done on top of it. */
export type Stage = { from: string; name: string | null; line: number; steps: Instruction[] }

/** What can be built: its last stage is the image. `before`: ARG lines that FROM may name. */
export type Recipe = { before: Instruction[]; stages: Stage[] }

export type Problem = { line: number; says: string }

/** Why an instruction is not offered, and what is instead. */
const withheld: Record<string, string> = {
  ADD: 'ADD fetches and unpacks on the host; use COPY, and RUN with tar or curl',
  VOLUME: 'VOLUME would keep files outside your quota; use /storage or a volume of your own',
  ONBUILD: 'ONBUILD would run in whatever is built from this; write it there',
  HEALTHCHECK: "HEALTHCHECK is DCM's own; leave it out",
  SHELL: 'SHELL cannot be changed; write RUN ["bash", "-c", "…"]',
  STOPSIGNAL: 'STOPSIGNAL is always SIGTERM; leave it out',
  MAINTAINER: 'MAINTAINER is no more; use LABEL',
}

class Wrong extends Error {
  override readonly name = 'Wrong'
}

/** Words as Docker reads them: apart by blanks, quotes and backslashes kept for `expand`. */
function split(text: string): string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '\\' && quote !== "'" && at + 1 < text.length) word += char + text[++at]!
    else if (quote ? char === quote : char === '"' || char === "'") {
      quote = quote ? '' : char
      word += char
    } else if (!quote && /\s/.test(char)) {
      if (word) words.push(word)
      word = ''
    } else word += char
  }
  if (quote) throw new Wrong(`A quote (${quote}) is not closed`)
  return word ? [...words, word] : words
}

function execForm(text: string): string[] | null {
  if (!text.startsWith('[')) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const argv =
    Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === 'string') ? value : null
  if (argv?.some((word: string) => word.includes('\0'))) throw new Wrong('A word holds a NUL')
  return argv
}

const variable = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

function pairs(verb: 'ENV' | 'LABEL', text: string): [string, string][] {
  const words = split(text)
  const name = verb === 'ENV' ? variable : /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/
  const all: [string, string][] = words[0]?.includes('=')
    ? words.map((word) => {
        const at = word.indexOf('=')
        return [at < 0 ? '' : word.slice(0, at).replace(/^"(.*)"$/, '$1'), word.slice(at + 1)]
      })
    : [[words[0] ?? '', text.slice((words[0] ?? '').length).trim()]]
  for (const [key] of all) {
    if (!name.test(key)) throw new Wrong(`${verb} takes NAME=value`)
    if (/^(?:dcm\b|dcm_|tini_)/i.test(key)) throw new Wrong(`${key} is DCM's own name; choose another`)
  }
  return all
}

function read(verb: string, rest: string): object {
  if (/^<<-?["']?\w/.test(rest) || /\s<<-?["']?[A-Za-z]\w*["']?\s*$/.test(rest))
    throw new Wrong('Text in the Dockerfile itself (<<) is not offered; put it in a file and COPY that')
  const flags = new Map<string, string>()
  let text = rest
  for (let flag; (flag = /^--([a-z]+)(?:=(\S*))?\s*/.exec(text)); text = text.slice(flag[0].length)) {
    if (verb !== 'COPY' || (flag[1] !== 'chown' && flag[1] !== 'from'))
      throw new Wrong(`${verb} --${flag[1]} is not offered; leave it out`)
    flags.set(flag[1], flag[2] ?? '')
  }
  switch (verb) {
    case 'ARG': {
      const [name, value] = [rest.split('=', 1)[0]!, rest.includes('=') ? rest.slice(rest.indexOf('=') + 1) : null]
      if (!variable.test(name) || /\s/.test(value?.replace(/"[^"]*"|'[^']*'/g, '') ?? ''))
        throw new Wrong('ARG takes one NAME or NAME=value')
      return { name, value }
    }
    case 'ENV':
    case 'LABEL':
      return { pairs: pairs(verb, rest) }
    case 'RUN':
    case 'CMD':
    case 'ENTRYPOINT':
      if (rest === '') throw new Wrong(`${verb} has to say what to run`)
      return { argv: execForm(rest), text: rest }
    case 'COPY': {
      const owner = flags.get('chown') ?? null
      if (owner !== null && !/^[a-z0-9_][a-z0-9_.-]*(?::[a-z0-9_][a-z0-9_.-]*)?$/i.test(owner))
        throw new Wrong('COPY --chown takes USER[:GROUP]')
      const words = execForm(text) ?? split(text)
      const target = words.pop()
      if (words.length === 0 || target === undefined) throw new Wrong('COPY takes what to copy and where to')
      if (words.some((word) => /^[a-z]+:\/\//i.test(word))) throw new Wrong('COPY reads files, and no URL')
      return { from: flags.get('from') ?? null, owner, sources: words, target }
    }
    case 'WORKDIR':
    case 'USER':
      if (rest === '') throw new Wrong(`${verb} takes one value`)
      return { value: rest }
    case 'EXPOSE':
      return { ports: split(rest) }
    default:
      throw new Wrong(`${withheld[verb] ?? `${verb.slice(0, 20)} is no instruction`}`)
  }
}

/** Whether `COPY --from` may name this: a stage before, by its name or number. */
const earlier = (stages: readonly Stage[], from: string): boolean =>
  stages.slice(0, -1).some((stage, at) => String(at) === from || stage.name === from.toLowerCase())

function readFrom(tail: string, stages: readonly Stage[], line: number): Stage {
  const match = /^(\S+)(?:\s+as\s+([a-z][\w.-]*))?$/i.exec(tail)
  if (!match || tail.startsWith('--')) throw new Wrong('FROM takes one image that you can use, and no flag')
  const [from, name] = [match[1]!, match[2]?.toLowerCase() ?? null]
  if (from.toLowerCase() === 'scratch') throw new Wrong('FROM scratch has no shell to build with; name an image')
  if (stages.some((stage) => stage.name === from.toLowerCase()))
    throw new Wrong('FROM another stage is not offered; write its lines here again, or build it as an image first')
  if (stages.length >= 8) throw new Wrong('More than 8 stages are too many')
  return { from, name, line, steps: [] }
}

/**
 * Reads a Dockerfile of the kind that DCM carries out itself: without what would have the host fetch, unpack or run
 * something. Docker docs, "Dockerfile reference".
 * @returns the recipe, or every line that is not offered
 */
export function parseDockerfile(text: string): Recipe | Problem[] {
  const problems: Problem[] = []
  const { before, stages }: Recipe = { before: [], stages: [] }
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  let begun = false
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1
    const directive = /^#\s*(syntax|escape|check)\s*=\s*(\S+)/i.exec(lines[at]!)
    // Directives stand before everything else. Docker docs, "Parser directives".
    if (directive && !begun) {
      const name = directive[1]!.toLowerCase()
      if (name !== 'escape' || directive[2] !== '\\')
        problems.push({ line, says: `# ${name}= would have another program read this; leave it out` })
      continue
    }
    if (/^\s*(#|$)/.test(lines[at]!)) continue
    begun = true
    let whole = ''
    for (; at < lines.length; at++) {
      if (/^\s*#/.test(lines[at]!) || (whole !== '' && lines[at]!.trim() === '')) continue
      whole += lines[at]!.replace(/\\[ \t]*$/, '')
      if (!/\\[ \t]*$/.test(lines[at]!)) break
    }
    const [, word = '', tail = ''] = /^(\S+)\s*([\s\S]*)$/.exec(whole.trim()) ?? []
    const verb = word.toUpperCase()
    const said = `${verb} ${tail}`.slice(0, 60).trim()
    try {
      if (whole.includes('\0')) throw new Wrong('It holds a NUL')
      if (verb === 'FROM') {
        stages.push(readFrom(tail, stages, line))
        continue
      }
      const instruction = { line, said, verb, ...read(verb, tail) } as Instruction
      const stage = stages.at(-1)
      if (instruction.verb === 'COPY' && instruction.from !== null && !earlier(stages, instruction.from))
        throw new Wrong('COPY --from takes a stage before this one; make another image a stage with FROM')
      if (stage) stage.steps.push(instruction)
      else if (verb === 'ARG') before.push(instruction)
      else throw new Wrong('FROM has to come first')
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      problems.push({ line, says: error.message })
    }
  }
  if (stages.length === 0 && problems.length === 0) problems.push({ line: 1, says: 'There is no FROM' })
  const all = [...before, ...stages.flatMap((stage) => stage.steps)]
  if (all.length > 200) problems.push({ line: 1, says: 'More than 200 instructions are too many' })
  // Each RUN holds all that is set before it.
  if (all.reduce((sum, one) => sum + ('pairs' in one ? one.pairs.length : 1), 0) > 1000)
    problems.push({ line: 1, says: 'More than 1000 variables and labels are too many' })
  return problems.length > 0 ? problems : { before, stages }
}

/**
 * Puts values in the place of `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}`, and takes quotes and backslashes
 * away. What is put in is never read again. Docker docs, "Environment replacement".
 * @returns null where more than `most` characters would come of it
 */
export function expand(text: string, vars: ReadonlyMap<string, string>, most: number): string | null {
  let result = ''
  let quote = ''
  for (let at = 0; at < text.length && result.length <= most; at++) {
    const char = text[at]!
    if (quote === "'") {
      if (char === "'") quote = ''
      else result += char
    } else if (char === '\\' && at + 1 < text.length) {
      const next = text[++at]!
      result += quote === '"' && !/["\\$]/.test(next) ? char + next : next
    } else if (char === '"' || char === "'") {
      if (quote === '') quote = char
      else if (quote === char) quote = ''
      else result += char
    } else if (char === '$') {
      const match = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::([-+])([^${}]*))?\})/.exec(text.slice(at))
      if (!match) {
        result += char
        continue
      }
      const value = vars.get(match[1] ?? match[2]!) ?? ''
      if (match[3] === '-') result += value === '' ? match[4]! : value
      else if (match[3] === '+') result += value === '' ? '' : match[4]!
      else result += value
      at += match[0].length - 1
    } else result += char
  }
  return result.length <= most ? result : null
}
