import { defineConfig } from 'vitest/config'

const apart = ['test/store/**', 'test/host/**', 'test/e2e/**', 'test/crash/**', 'test/attacks/real/**']

/** What holds for every project. Files of one project share nothing but what they ask `test/setup/` for. */
const common = {
  environment: 'node',
  pool: 'forks',
  // Loading DCM anew for each file takes as long as its tests; nothing of it keeps a state of its own.
  isolate: false,
  restoreMocks: true,
  unstubEnvs: true,
  expect: { poll: { timeout: 60_000, interval: 10 } },
} as const

// Those that speak to a local Slack, Discord or OpenSSH over sockets: they need nothing either, but take minutes.
const wire = ['test/adapters/slack/**', 'test/adapters/discord/**', 'test/adapters/ssh/**']

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...apart, ...wire],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          // A client library that is being closed may still end a thing or two: with its file's process, and in no other's.
          isolate: true,
          name: 'wire',
          include: wire.map((folder) => `${folder}/*.test.ts`),
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'store',
          include: ['test/store/**/*.test.ts'],
          execArgv: ['--import', './src/preload.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'host',
          include: ['test/host/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/crash/**/*.test.ts', 'test/attacks/real/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
})
