import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatGrant, type Grant, grantableCaps, parseGrant, permitsRestart } from '../../../src/core/model/grant.ts'
import { resources } from '../../../src/core/model/quota.ts'

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/)
const restart = fc.oneof(
  fc.record({ name: fc.constant('on-failure' as const), max: fc.integer({ min: 1, max: 99 }) }),
  fc.record({ name: fc.constant('unless-stopped' as const) }),
)
const grant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({ kind: fc.constant('restart' as const), restart }),
  fc.record({ kind: fc.constant('restart-policy' as const) }),
  fc.record({ kind: fc.constant('cap' as const), cap: fc.constantFrom(...grantableCaps) }),
  fc.record({ kind: fc.constant('port' as const), port: fc.integer({ min: 1, max: 65535 }) }),
  fc.record({ kind: fc.constant('device' as const), name }),
  fc.record({ kind: fc.constant('seccomp' as const), name }),
  fc.record({ kind: fc.constant('image' as const), ref: fc.constantFrom('lab:latest', 'web:v1', 'my.app:2.0') }),
  fc.record({
    kind: fc.constant('quota' as const),
    resource: fc.constantFrom(...resources),
    amount: fc.integer({ min: 0, max: 9_999_999 }),
  }),
)

test('a grant is read back as it was written', () => {
  fc.assert(fc.property(grant, (one) => void expect(parseGrant(formatGrant(one))).toEqual(one)))
})

test.each([
  ['cap:cap_sys_ptrace', 'cap:SYS_PTRACE'],
  ['quota:memory=8192m', 'quota:memory=8g'],
  ['quota:cpus=2.0', 'quota:cpus=2'],
  ['image:lab', 'image:lab:latest'],
  ['restart:on-failure', 'restart:on-failure:3'],
])('%s is kept as %s, so that revoking finds it in any spelling', (typed, kept) => {
  expect(formatGrant(parseGrant(typed)!)).toBe(kept)
})

test('no text gets a capability that is as good as root', () => {
  for (const cap of ['ALL', 'SYS_ADMIN', 'SYS_MODULE', 'SYS_RAWIO', 'DAC_READ_SEARCH', 'BPF', 'SYS_BOOT', 'SYSLOG'])
    for (const spelled of [cap, cap.toLowerCase(), `CAP_${cap}`]) expect(parseGrant(`cap:${spelled}`)).toBeUndefined()
})

test('A11: only the restart policy that was granted is permitted', () => {
  const granted = (text: string) => [parseGrant(text)!]
  expect(permitsRestart([], { name: 'no' })).toBe(true)
  expect(permitsRestart([], { name: 'unless-stopped' })).toBe(false)
  expect(permitsRestart(granted('restart:on-failure:5'), { name: 'on-failure', max: 5 })).toBe(true)
  expect(permitsRestart(granted('restart:on-failure:5'), { name: 'on-failure', max: 6 })).toBe(false)
  expect(permitsRestart(granted('restart:on-failure:5'), { name: 'unless-stopped' })).toBe(false)
  expect(permitsRestart(granted('restart:unless-stopped'), { name: 'on-failure', max: 1 })).toBe(false)
  expect(permitsRestart(granted('restart-policy'), { name: 'unless-stopped' })).toBe(true)
  expect(permitsRestart(granted('cap:SYS_PTRACE'), { name: 'unless-stopped' })).toBe(false)
})
