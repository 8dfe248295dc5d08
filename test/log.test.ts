import { expect, test } from 'vitest'
import { createLog } from '../src/log.ts'

function logged(act: (log: ReturnType<typeof createLog>) => void, level = 'info'): string[] {
  const lines: string[] = []
  act(createLog({ level, write: (line) => lines.push(line) }))
  return lines
}

test.each([
  '\n{"level":"error","msg":"forged"}',
  '\r\nforged',
  'a\u2028b\u2029c',
  'nul\0nul',
  '\u001b]0;title\u0007\u001b[2J',
  '\u009b2J',
  'abc\u202egnp.exe',
  '\u2066\u2069\u200f',
  '"}\n{"level":"fatal"',
  '\ud800 alone',
])('I04 one event is one line that parses, and does nothing to a terminal: %j', (hostile) => {
  const lines = logged((log) => log.info({ name: hostile, deep: { name: hostile }, [hostile]: 1 }, hostile))
  expect(lines).toHaveLength(1)
  expect(lines[0]!.indexOf('\n')).toBe(lines[0]!.length - 1)
  // oxlint-disable-next-line no-control-regex
  expect(lines[0]!.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'info',
    msg: hostile.replace('\ud800', '\ud800'),
    name: hostile,
  })
})

test('secrets are not written, wherever they stand', () => {
  const secret = 'dcm_0123456789abcdefABCDEF0123456789'
  const text = logged((log) => {
    log.info(
      { token: 'one-secret', authorization: 'two-secret', request: { headers: { authorization: 'three-secret' } } },
      'x',
    )
    log.info({ text: `Authorization: Bearer four-secret`, line: `token ${secret}` }, `used ${secret}`)
    log.error({ error: new Error(`at postgres://dcm:five-secret@db/x with ${secret}`) }, 'x')
    log.info({ key: '-----BEGIN OPENSSH PRIVATE KEY-----\nsix-secret\n-----END OPENSSH PRIVATE KEY-----\n' }, 'x')
    log.error(
      {
        err: new Error('Failed query: insert into x\nparams: eight-secret,"nine-secret\\', {
          cause: { params: ['ten-secret'] },
        }),
      },
      'x',
    )
    log.info({ password: 'seven-secret' }, 'x')
  }).join('')
  expect(text).not.toMatch(/-secret|0123456789abcdef/)
  expect(text.match(/redacted/g)!.length).toBeGreaterThan(8)
  for (const line of text.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow()
})

test('an error is logged with its cause', () => {
  const [line] = logged((log) => log.error({ error: new Error('outer', { cause: new Error('inner') }) }, 'failed'))
  expect(line).toContain('outer')
  expect(line).toContain('inner')
})

test('the level decides', () => {
  const all = (log: ReturnType<typeof createLog>) => (
    log.debug({}, 'd'),
    log.info({}, 'i'),
    log.warn({}, 'w'),
    log.error({}, 'e')
  )
  expect(logged(all, 'warn')).toHaveLength(2)
  expect(logged(all, 'silent')).toEqual([])
})
