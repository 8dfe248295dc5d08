import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/** One import of one file: `to` is a path from the repository's folder, or a package's name. */
type Import = { file: string; to: string; kind: 'ours' | 'package' | 'node'; type: boolean }

const statement = /^(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm

const sources = globSync('src/**/*.ts', { cwd: root }).sort()

function importsOf(file: string): Import[] {
  return [...readFileSync(join(root, file), 'utf8').matchAll(statement)].map((found) => {
    const to = found[2] ?? found[3] ?? ''
    const type = found[1] !== undefined
    if (to.startsWith('.')) return { file, to: join(dirname(file), to), kind: 'ours', type }
    if (to.startsWith('node:')) return { file, to, kind: 'node', type }
    const [first, second] = to.split('/')
    return { file, to: first?.startsWith('@') ? `${first}/${second}` : (first ?? ''), kind: 'package', type }
  })
}

const imports = sources.flatMap(importsOf)
const say = ({ file, to }: Import) => `${file} imports ${to}`
const inside = (path: string, folders: readonly string[]) =>
  folders.some((one) => path === one || path.startsWith(`${one}/`))

/** What puts everything together. */
const roots = ['src/main.ts', 'src/web.ts', 'src/start']

/** What files of a folder may import of ours, beside each other; `types` is what they may only take types from. */
const folders: Record<string, { may: string[]; types?: string[] }> = {
  'src/core/model': { may: [] },
  'src/core/reply': { may: ['src/core/model'] },
  'src/core/command': { may: ['src/core/reply', 'src/core/model'] },
  'src/commands': { may: ['src/core/command', 'src/core/reply', 'src/core/model'] },
  'src/operations': {
    may: ['operation', 'host', 'store', 'containers', 'people', 'policy', 'secret', 'reply', 'model'].map(
      (name) => `src/core/${name}`,
    ),
    // Of commands only what they ask for: each operation is one intent's.
    types: ['src/core/command/intents.ts'],
  },
  // A Reply is what the service answers with, so the client may know how to show one; of the core it has nothing else.
  'src/client': { may: ['src/core/reply'] },
}

const adapter = {
  may: ['src/core/door', 'src/core/chat', 'src/core/command', 'src/core/reply'],
  types: ['src/core/model', 'src/core/hooks'],
}
for (const path of globSync('src/adapters/*', { cwd: root })) folders[path] = adapter

/** The core's own order: a folder takes values only from those before it. */
const order = [
  ...['model', 'reply', 'command', 'secret', 'policy', 'host', 'store', 'operation'],
  ...['containers', 'compose', 'people', 'hooks', 'chat', 'upkeep', 'door'],
]

/** Where each package may be used. One that does I/O has one place, so that it can be replaced there. */
const packages: Record<string, string[]> = {
  'drizzle-orm': ['src/core/store'],
  postgres: ['src/core/store'],
  '@electric-sql/pglite': ['src/core/store'],
  ssh2: ['src/core/host', 'src/core/secret', 'src/adapters/ssh'],
  croner: ['src/core/containers'],
  'tar-stream': ['src/core/host', 'src/client'],
  hono: ['src/adapters'],
  '@hono/node-server': ['src/adapters/http'],
  'prom-client': ['src/adapters/http'],
  '@slack/bolt': ['src/adapters/slack'],
  undici: ['src/adapters/slack'],
  yaml: ['src/core/compose'],
  'discord.js': ['src/adapters/discord'],
  'swagger-ui-dist': ['src/adapters/http'],
  pino: ['src/log.ts'],
  shlex: ['src/core/command', 'src/core/door', 'src/adapters'],
  zod: ['src/core/command', 'src/core/reply', 'src/core/door', 'src/commands', 'src/adapters', 'src/config.ts'],
}

test('there is something to look at, and its imports are found', () => {
  expect(sources.length).toBeGreaterThan(50)
  expect(imports.filter((one) => one.kind === 'ours').length).toBeGreaterThan(sources.length)
  expect(imports.filter((one) => one.kind === 'ours' && !sources.includes(one.to)).map(say)).toEqual([])
})

describe('what a folder imports of ours', () => {
  test.for(Object.keys(folders))('%s', (folder) => {
    const { may, types = [] } = folders[folder] ?? { may: [] }
    const allowed = (one: Import) =>
      inside(one.to, [folder, ...may]) || (one.type && inside(one.to, types)) || one.kind !== 'ours'
    expect(imports.filter((one) => inside(one.file, [folder]) && !allowed(one)).map(say)).toEqual([])
  })

  test('the core is laid in order, and reaches nothing outside itself', () => {
    const rank = (path: string) => order.indexOf(path.split('/')[2] ?? '')
    const core = imports.filter((one) => one.kind === 'ours' && inside(one.file, ['src/core']))
    const wrong = core.filter((one) => !inside(one.to, ['src/core']) || (!one.type && rank(one.to) > rank(one.file)))
    expect(wrong.map(say)).toEqual([])
    expect(
      [...new Set(core.map((one) => one.file.split('/')[2]))].filter((name) => !order.includes(name ?? '')),
    ).toEqual([])
  })

  test('only main.ts, web.ts and what they start with put commands, operations, adapters, the store and the host together', () => {
    const parts = ['src/commands', 'src/operations', 'src/adapters', 'src/client', 'src/main.ts']
    const own = (one: Import) => parts.some((part) => inside(one.file, [part]) && inside(one.to, [part]))
    const wrong = imports.filter((one) => inside(one.to, parts) && !inside(one.file, roots) && !own(one))
    expect(wrong.map(say)).toEqual([])
  })

  test('a process that only answers HTTP loads nothing that could reach an engine', () => {
    const reached = new Set<string>()
    const walk = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const one of importsOf(file)) if (one.kind === 'ours' && !one.type) walk(one.to)
    }
    walk('src/web.ts')
    expect(reached).toContain('src/core/host/absent.ts')
    expect([...reached].filter((file) => /host\/docker\/(index|engine|wire)\.ts$/.test(file))).toEqual([])
  })
})

describe('libraries', () => {
  test('each package is used only where it is wrapped, and each has a place', () => {
    const wrong = imports.filter((one) => one.kind === 'package' && !inside(one.file, packages[one.to] ?? []))
    expect(wrong.map(say)).toEqual([])
  })

  test('the model is plain: it imports no package, and of Node nothing that does I/O', () => {
    const wrong = imports.filter((one) => inside(one.file, ['src/core/model']) && one.kind !== 'ours')
    expect(wrong.filter((one) => one.to !== 'node:crypto' && one.to !== 'node:net').map(say)).toEqual([])
  })

  test('the client loads no package, but for copying files, and only then', () => {
    const reached = new Set<string>()
    const walk = (file: string): Import[] => {
      if (reached.has(file)) return []
      reached.add(file)
      return importsOf(file)
        .filter((one) => !one.type)
        .flatMap((one) => (one.kind === 'ours' ? walk(one.to) : [one]))
    }
    const loaded = sources.filter((file) => inside(file, ['src/client'])).flatMap(walk)
    expect(loaded.filter((one) => one.kind === 'package' && one.to !== 'tar-stream').map(say)).toEqual([])
    const eager = /^import (?!type\s).*'tar-stream'/m
    expect(
      sources.filter((file) => inside(file, ['src/client']) && eager.test(readFileSync(join(root, file), 'utf8'))),
    ).toEqual([])
  })

  test('only the host starts programs of the machine', () => {
    const wrong = imports.filter(
      (one) => one.to === 'node:child_process' && !inside(one.file, ['src/core/host', 'src/client']),
    )
    expect(wrong.map(say)).toEqual([])
  })
})

test('only main.ts, web.ts, the configuration and the client see the environment', () => {
  const readers = sources.filter((file) =>
    /\bprocess\.env\b|\benv\b.*from 'node:process'/.test(readFileSync(join(root, file), 'utf8')),
  )
  expect(readers.filter((file) => !inside(file, ['src/main.ts', 'src/web.ts', 'src/config.ts', 'src/client']))).toEqual(
    [],
  )
})

test('P04: programs are started in one place, and without a shell', () => {
  const starters = imports.filter(({ to }) => to === 'node:child_process')
  expect(starters.map(({ file }) => file)).toEqual(['src/core/host/docker/program.ts'])
  expect(readFileSync(join(root, starters[0]!.file), 'utf8')).toMatch(/^import \{ execFile \} from/m)
  expect(readFileSync(join(root, starters[0]!.file), 'utf8')).not.toMatch(/\bshell:/)
})
