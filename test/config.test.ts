import { mkdtempSync, rmSync, statSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { variables } from '../src/variables.ts'
import { secretKey } from '../src/start/secret.ts'

const problemsOf = (env: Record<string, string>) => {
  const read = readConfig(env, true)
  return 'problems' in read ? read.problems : []
}

test('nothing set is a configuration that works on one machine, on loopback', () => {
  const read = readConfig({}, true)
  if ('problems' in read) throw new Error(read.problems.join(' '))
  expect(read.config).toMatchObject({
    dataDir: '/var/lib/dcm',
    http: { host: '127.0.0.1', port: 8787 },
    bindHost: '127.0.0.1',
    publicHost: '127.0.0.1',
    ports: { low: 20000, high: 29999 },
    trustProxy: false,
  })
})

test.each([
  ['DCM_HTTP_ADDR', 'everywhere'],
  ['DCM_HTTP_ADDR', '127.0.0.1:99999'],
  ['DCM_BIND_HOST', 'eth0'],
  ['DCM_PUBLIC_HOST', 'a b'],
  ['DCM_PUBLIC_URL', 'ftp://x'],
  ['DATABASE_URL', 'mysql://x'],
  ['DOCKER_HOST', '/var/run/docker.sock'],
  ['DCM_PORT_RANGE', '80-90'],
  ['DCM_PORT_RANGE', '30000-20000'],
  ['DCM_SUBNET_POOL', '10.0.0.0/30'],
  ['DCM_TRUST_PROXY', 'maybe'],
  ['DCM_SECRET_KEY', 'abc'],
  ['DCM_ADMIN_KEY', '/nowhere/key.pub'],
  ['LOG_LEVEL', 'loud'],
  ['DCM_ROLE', 'both'],
  ['DCM_HTTP_ADRR', '127.0.0.1:1'],
])('N08 %s=%s is refused by name', (name, value) => {
  expect(problemsOf({ [name]: value }).join('\n')).toContain(name)
})

test('processes that share work have to share the database and the key', () => {
  const key = 'a'.repeat(64)
  for (const role of ['web', 'worker']) {
    expect(problemsOf({ DCM_ROLE: role }).join(' ')).toMatch(/DATABASE_URL is missing.*DCM_SECRET_KEY is missing/)
    expect(problemsOf({ DCM_ROLE: role, DATABASE_URL: 'postgres://db/dcm', DCM_SECRET_KEY: key })).toEqual([])
  }
})

test('N08 every problem is told at once', () => {
  const problems = problemsOf({ DCM_PORT_RANGE: 'x', LOG_LEVEL: 'loud', DCM_SECRET_KEY: 'short' })
  expect(problems).toHaveLength(3)
  expect(problems.join('\n')).not.toContain('short')
})

test('N08 there is no default secret, and one that others could read is closed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dcm-config-'))
  try {
    const first = secretKey(undefined, folder)
    expect(first).toHaveLength(32)
    expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600)
    chmodSync(join(folder, 'secret.key'), 0o644)
    expect(secretKey(undefined, folder)).toEqual(first)
    expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600)
    writeFileSync(join(folder, 'secret.key'), 'not a key')
    expect(() => secretKey(undefined, folder)).toThrow(/secret\.key/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('every variable is in the table once', () => {
  expect(new Set(variables.map((variable) => variable.name)).size).toBe(variables.length)
})
