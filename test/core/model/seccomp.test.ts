import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSeccomp } from '../../../src/core/model/seccomp.ts'

const good = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }],
  syscalls: [
    { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW', args: [], comment: '', includes: {}, excludes: {} },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390'] },
    },
    { names: ['ptrace'], action: 'SCMP_ACT_ALLOW', args: null, includes: { minKernel: '4.8' } },
    { name: 'clone3', action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  ],
}
const refusal = (value: unknown) => {
  const read = readSeccomp(typeof value === 'string' ? value : JSON.stringify(value))
  return 'reason' in read ? read.reason : undefined
}

test("a profile in Docker's form is taken as it is", () => {
  expect(readSeccomp(JSON.stringify(good, null, '\t'))).toEqual({ json: JSON.stringify(good) })
})

test.each([
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_NOTIFY',
  'scmp_act_errno',
  '',
  null,
  5,
  undefined,
])('A07: a profile may not let through by default: %s', (defaultAction) => {
  expect(refusal({ ...good, defaultAction })).toMatch(/defaultAction has to refuse/)
})

test.each([
  ['not JSON', '{', /not JSON/],
  ['a list', '[]', /not a JSON object/],
  ['null', 'null', /not a JSON object/],
  ['a listener', { ...good, listenerPath: '/run/x.sock' }, /does not know: listenerPath/],
  ['flags', { ...good, flags: ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] }, /does not know: flags/],
  ['a prototype', `{"defaultAction":"SCMP_ACT_ERRNO","__proto__":{}}`, /does not know: __proto__/],
  [
    'an unknown action',
    { ...good, syscalls: [{ names: ['x'], action: 'SCMP_ACT_NOTIFY' }] },
    /syscalls is not of the form/,
  ],
  [
    'an unknown member of a rule',
    { ...good, syscalls: [{ names: ['x'], action: 'SCMP_ACT_ALLOW', evil: 1 }] },
    /syscalls is not of the form/,
  ],
  [
    'names that are no list',
    { ...good, syscalls: [{ names: 'x', action: 'SCMP_ACT_ALLOW' }] },
    /syscalls is not of the form/,
  ],
  [
    'an argument that is no number',
    { ...good, syscalls: [{ names: ['x'], action: 'SCMP_ACT_ALLOW', args: [{ index: '0' }] }] },
    /syscalls is not of the form/,
  ],
  ['architectures that are no names', { ...good, architectures: [1] }, /architectures is not of the form/],
])('refused: %s', (_, value, sentence) => {
  expect(refusal(value)).toMatch(sentence)
})

test('whatever is taken refuses by default', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: value })),
      ),
      (text) => {
        const read = readSeccomp(text)
        if ('json' in read) expect(JSON.parse(read.json)).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO' })
        else expect(read.reason).toMatch(/\.$/)
      },
    ),
  )
})
