import { defineConfig } from 'vitest/config'

/** The whole core behind its door, on an embedded database in memory and a fake host. */
const core = [
  'test/{commands,operations}/**/*.test.ts',
  'test/attacks/*.test.ts',
  'test/core/{chat,door,hooks,operation,upkeep}/**/*.test.ts',
  'test/core/compose/corpus.test.ts',
  'test/adapters/http/alike.test.ts',
]

/** What speaks over sockets, to a local Slack, Discord or OpenSSH for one, or starts programs. */
const wire = [
  'test/adapters/{slack,discord,ssh}/**/*.test.ts',
  'test/adapters/http/stream.test.ts',
  'test/client/dcm.test.ts',
  'test/core/host/greet.test.ts',
]

const store = ['test/store/**/*.test.ts']
const host = ['test/host/**/*.test.ts']
const e2e = ['test/{e2e,crash,attacks/real}/**/*.test.ts']

/** What holds for every project. Files of one project share nothing but what they ask `test/setup/` for. */
const common = {
  environment: 'node',
  pool: 'forks',
  // Loading DCM anew for each file takes as long as its tests; nothing of it keeps a state of its own.
  isolate: false,
  restoreMocks: true,
  unstubEnvs: true,
  expect: { poll: { timeout: 60_000, interval: 10 } },
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const

const project = (name: string, include: string[], more: object = {}) => ({
  test: { ...common, name, include, ...more },
})

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // The first three need nothing that is not in this folder.
      project('unit', ['test/**/*.test.ts'], { exclude: [...core, ...wire, ...store, ...host, ...e2e] }),
      project('core', core),
      project('wire', wire),
      project('store', store, { execArgv: ['--import', './src/preload.ts'] }),
      project('host', host, { hookTimeout: 180_000 }),
      project('e2e', e2e, { testTimeout: 240_000, hookTimeout: 240_000 }),
    ],
  },
})
