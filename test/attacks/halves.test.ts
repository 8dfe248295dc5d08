import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { tidyFolders } from '../../src/core/upkeep/reconcile.ts'
import { createWorld, publicKey, type Said, type World } from '../core/door/world.ts'

const [key, spare] = [publicKey('second@desk'), publicKey('spare@desk')]
let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  await world.member('bob')
  for (const line of ['create web --image debian -m 64m', `key add ${spare}`, 'token new old'])
    expect((await world.say(alice, line)).error).toBeUndefined()
  for (const line of ['group add lab', 'grant bob cap:NET_RAW', 'user link bob slack:T1/UBOB'])
    expect((await world.say(world.admin, line)).error).toBeUndefined()
})
afterAll(() => world[Symbol.asyncDispose]())

const tables = [
  ...['people', 'keys', 'identities', 'grants', 'tokens', 'groups', 'memberships', 'group_grants', 'shares'],
  ...['hooks', 'schedules', 'secrets'],
]

/** All that such lines may change, without what is new each time. */
async function standing(): Promise<string> {
  const all = []
  for (const name of tables) {
    const rows = await world.rows<{ row: Record<string, unknown> }>(`select to_jsonb(t) as row from "${name}" t`)
    const kept = rows.map(({ row }) =>
      JSON.stringify(Object.entries(row).filter(([key]) => !/^id$|_at$|hash|secret|sealed|value/.test(key))),
    )
    all.push(`${name}: ${kept.toSorted().join('; ')}`)
  }
  const run = world.host.fake.run((await world.container(alice, 'web')).id)
  const inside = run?.authorizedKeys.split('\n').toSorted().join('; ')
  return [...all, `keys inside: ${inside}`, `secrets inside: ${JSON.stringify(run?.secrets)}`].join('\n')
}

/** Says a line in a process that dies before its statement number `at`, and starts again. @returns whether it died */
async function dies(who: Person, said: Said, at: number): Promise<boolean> {
  let count = 0
  world.meddle(() => {
    if (++count >= at) throw new Error('this process is dead')
  })
  await world.door
    .handle({ actor: { person: who, surface: 'http' }, input: typeof said === 'string' ? { line: said } : said })
    .catch(() => undefined)
  world.meddle(undefined)
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  await tidyFolders({ works: world.works, runner: world.runner, log }, 'local')
  return count >= at
}

type Change = { by: 'alice' | 'admin'; line: Said; back: string }
const changes: Change[] = [
  { by: 'alice', line: `key add ${key}`, back: 'key rm second@desk' },
  { by: 'alice', line: 'key rm spare@desk', back: `key add ${spare}` },
  { by: 'admin', line: 'user link alice slack:T1/UALICE', back: 'user unlink alice' },
  { by: 'admin', line: 'user unlink bob', back: 'user link bob slack:T1/UBOB' },
  { by: 'admin', line: 'grant alice cap:NET_RAW', back: 'revoke alice cap:NET_RAW' },
  { by: 'admin', line: 'revoke bob cap:NET_RAW', back: 'grant bob cap:NET_RAW' },
  { by: 'admin', line: 'group join lab alice', back: 'group leave lab alice' },
  { by: 'admin', line: 'group grant lab restart-policy', back: 'group revoke lab restart-policy' },
  { by: 'admin', line: 'quota set alice memory=1g', back: 'quota unset alice memory' },
  { by: 'admin', line: 'user suspend alice', back: 'user resume alice' },
  { by: 'alice', line: 'token new ci', back: 'token rm ci' },
  { by: 'alice', line: 'share web bob', back: 'unshare web bob' },
  { by: 'alice', line: 'hook new ci --do "restart web"', back: 'hook rm ci --yes' },
  {
    by: 'alice',
    line: { name: 'secret set', args: { container: 'web', name: 'TOKEN', value: 'sesame' } },
    back: 'secret rm web TOKEN',
  },
]

describe('K10, N06: a process that dies in a change leaves the old state or the new one, and its row', () => {
  test.each(changes)('$line', async ({ by, line, back }) => {
    const who = by === 'admin' ? world.admin : alice
    const before = await standing()
    const done = await world.say(who, line)
    expect(done.error, done.text).toBeUndefined()
    const after = await standing()
    expect(after).not.toBe(before)
    expect((await world.say(who, back)).error).toBeUndefined()
    let [old, made] = [0, 0]
    for (let at = 1; ; at++) {
      expect(at, 'it ends').toBeLessThan(60)
      expect(await standing()).toBe(before)
      const rows = (await world.store.audit.read({ limit: 1 }))[0]!.id
      if (!(await dies(who, line, at))) break
      const now = await standing()
      const left = (await world.store.audit.read({ limit: 5 })).filter((row) => row.id > rows)
      if (now === before) old++
      else {
        made++
        expect(now).toBe(after)
        expect(left, `at statement ${at}`).toMatchObject([{ actor: who.name, decision: 'begun', code: null }])
      }
      // Whoever starts again, or says it again, has it as it was meant.
      if (now === before) expect((await world.say(who, line)).error).toBeUndefined()
      expect(await standing()).toBe(after)
      expect((await world.say(who, back)).error).toBeUndefined()
    }
    expect(old).toBeGreaterThan(0)
    expect(made).toBeGreaterThan(0)
    expect((await world.say(who, back)).error).toBeUndefined()
  })
})
