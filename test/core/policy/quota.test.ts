import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Grant } from '../../../src/core/model/grant.ts'
import {
  defaultQuota,
  formatAmount,
  parseAmount,
  type Quota,
  type Resource,
  resources,
} from '../../../src/core/model/quota.ts'
import { effective, refuse } from '../../../src/core/policy/quota.ts'

const amount = fc.integer({ min: 0, max: 2 ** 40 })
const resource = fc.constantFrom<Resource>(...resources)
const quota = fc.record(
  Object.fromEntries(resources.map((name) => [name, amount])) as Record<Resource, fc.Arbitrary<number>>,
)
const grants: fc.Arbitrary<Grant[]> = fc.array(fc.record({ kind: fc.constant('quota' as const), resource, amount }), {
  maxLength: 5,
})

test('the site, unless the member, unless the highest grant gives more', () => {
  fc.assert(
    fc.property(quota, fc.dictionary(resource, amount), grants, (site, own, given) => {
      const limits = effective({ site, groups: [], member: own as Partial<Quota>, grants: given })
      for (const name of resources) {
        const base = (own as Partial<Quota>)[name] ?? site[name]
        const granted = given.flatMap((grant) =>
          grant.kind === 'quota' && grant.resource === name ? [grant.amount] : [],
        )
        expect(limits[name].limit).toBe(Math.max(base, ...granted))
        if (limits[name].from === 'grant') expect(limits[name].limit).toBeGreaterThan(base)
        else expect(limits[name].from).toBe(name in own ? 'member' : 'site')
      }
    }),
  )
})

test('a grant of something else changes no quota', () => {
  const limits = effective({
    site: defaultQuota,
    groups: [],
    member: {},
    grants: [{ kind: 'restart-policy' }, { kind: 'cap', cap: 'SYS_PTRACE' }],
  })
  expect(limits).toEqual(
    Object.fromEntries(resources.map((name) => [name, { limit: defaultQuota[name], from: 'site' }])),
  )
})

test('J09: what fits is never refused, what does not fit always is', () => {
  fc.assert(
    fc.property(resource, amount, amount, amount, (name, wish, used, limit) => {
      expect(refuse(name, wish, used, { limit, from: 'site' }) === undefined).toBe(used + wish <= limit)
    }),
  )
})

test('a refusal names wish, use, limit and rule, and what it offers would fit', () => {
  fc.assert(
    fc.property(
      resource,
      amount,
      amount,
      amount,
      fc.constantFrom('site' as const, 'member' as const, 'grant' as const),
      (name, ...[a, b, c, from]) => {
        const [wish, used, limit] = [a, b, c].map((one) =>
          name === 'memory' || name === 'disk' ? one : one % 9_999_999,
        ) as [number, number, number]
        const why = refuse(name, wish, used, { limit, from })
        if (why === undefined) return
        for (const number of [wish, used, limit]) expect(why).toContain(formatAmount(name, number))
        expect(why).toContain({ site: 'the quota here', member: 'your quota', grant: 'your grant' }[from])
        expect(why).toMatch(/[^.]\.$/)
        const offered = /at most (\S+) with (-\S+)/.exec(why)
        if (offered) expect(used + parseAmount(name, offered[1]!)!).toBeLessThanOrEqual(limit)
        if (offered) expect(parseAmount(name, offered[1]!)).toBeGreaterThan(0)
      },
    ),
  )
})

test('the sentence, as a member reads it', () => {
  expect(refuse('memory', 2 * 1024 ** 3, 3 * 1024 ** 3, { limit: 4 * 1024 ** 3, from: 'site' })).toBe(
    'You may have 4g of memory for running containers (the quota here) and use 3g, so 2g more does not fit: ask for at most 1g with -m, give one less with update -m, or stop one.',
  )
  expect(refuse('images', 1, 10, { limit: 10, from: 'member' })).toBe(
    'You may have 10 images (your quota) and use 10, so 1 more does not fit: remove one with rmi.',
  )
})
