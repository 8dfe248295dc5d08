import { expect, test, vi } from 'vitest'
import { run } from '../../../src/core/host/docker/program.ts'

test('N09: a program that DCM runs gets nothing of its environment, where secrets are', async () => {
  vi.stubEnv('DATABASE_URL', 'postgres://dcm:hunter2@db/dcm')
  vi.stubEnv('DCM_SECRET_KEY', 'hunter3')
  const { ok, stdout } = await run('env', [])
  expect(ok).toBe(true)
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .toSorted(),
  ).toEqual(['LC_ALL', 'PATH'])
})
