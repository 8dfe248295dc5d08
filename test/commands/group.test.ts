import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  for (const who of [alice, bob]) await must(`quota unset ${who.name} memory containers running cpus`)
})
afterAll(() => world[Symbol.asyncDispose]())

const must = async (line: string, who = world.admin) => {
  const reply = await world.say(who, line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}
const memory = async (who: Person) =>
  ((await must('quota show', who)).data as { quota: Record<string, object> }).quota['memory']

describe('a group', () => {
  test('its quota holds for each of its members, between the site and their own', async () => {
    await must('group add lab')
    await must('group join lab alice bob')
    expect((await must('group quota lab memory=6g cpus=8')).text).toBe('Each member of lab may use: memory=6g, cpus=8.')
    expect(await memory(alice!)).toMatchObject({ limit: 6 * 2 ** 30, from: 'group', group: 'lab' })
    expect((await must('quota show', alice)).table?.rows).toContainEqual(['memory', '0', '6g', 'group lab'])
    await must('quota set bob memory=1g')
    expect(await memory(bob!)).toMatchObject({ limit: 2 ** 30, from: 'member', group: null })
    expect((await world.refused(alice!, 'create big --image debian -m 7g', 'limited')).text).toMatch(
      /^You may have 6g of memory for running containers \(the quota of group lab\) and use 0, /,
    )
    expect((await must('can create big --image debian -m 7g', alice)).text).toMatch(/the quota of group lab/)
    await must('create big --image debian -m 5g', alice)
    await must('rm -f big', alice)
    await must('quota unset bob memory')
  })

  test("holds again where a member's own quota is taken", async () => {
    await must('quota set bob memory=2g')
    expect((await must('quota unset bob memory images')).text).toBe(
      'What bob had of their own is taken; what holds is memory=6g (group lab), images=100 (site).',
    )
  })

  test('of two groups the one that gives more counts; what neither says is the site’s', async () => {
    await must('group add rich')
    await must('group quota rich memory=9g')
    await must('group join rich alice')
    expect(await memory(alice!)).toMatchObject({ limit: 9 * 2 ** 30, group: 'rich' })
    expect(await memory(bob!)).toMatchObject({ limit: 6 * 2 ** 30, group: 'lab' })
    await must('group quota lab --unset memory')
    expect(await memory(bob!)).toMatchObject({ from: 'site', group: null })
    expect((await must('whoami', alice)).fields).toMatchObject({ groups: 'lab, rich' })
  })

  test('what it is granted its members may, until it ends, is revoked, or they leave', async () => {
    const line = 'create again --image debian -m 64m --restart unless-stopped'
    await world.refused(bob!, line, 'denied')
    await must('group grant lab restart-policy --for 1h')
    expect((await must('grants', bob)).data).toMatchObject([{ thing: 'restart-policy', group: 'lab' }])
    await must(line, bob)
    await must('group revoke lab restart-policy')
    await must('stop again', bob)
    await world.refused(bob!, 'start again', 'denied')
    await must('group grant lab restart-policy --for 1h')
    await must('start again', bob)
    await world.sql("update group_grants set expires_at = now() - interval '1 second'")
    expect((await must('grants', bob)).data).toEqual([])
    await must('stop again', bob)
    await world.refused(bob!, 'start again', 'denied')
    await must('group grant lab restart-policy')
    await must('group leave lab bob')
    await world.refused(bob!, 'start again', 'denied')
  })

  test('is a name once, shows who is in it, and takes all with it when it goes', async () => {
    await world.refused(world.admin, 'group add lab', 'conflict')
    expect(await must('group show lab')).toMatchObject({
      text: 'lab has one member.',
      data: { members: ['alice'], grants: [{ thing: 'restart-policy', expires_at: null }] },
    })
    expect((await must('group ls')).data).toMatchObject([
      { name: 'lab', members: 1, quota: { cpus: 8 } },
      { name: 'rich', members: 1, quota: { memory: 9 * 2 ** 30 } },
    ])
    for (const name of ['lab', 'rich']) {
      expect(await world.say(world.admin, `group rm ${name}`)).toMatchObject({ data: { confirm: true } })
      await must(`group rm ${name} --yes`)
    }
    expect(await memory(alice!)).toMatchObject({ from: 'site' })
    expect((await must('grants', alice)).data).toEqual([])
  })

  test('a member who is removed is in none, nor is the next of that name', async () => {
    await must('group add short')
    await world.member('carol')
    await must('group join short carol')
    await must('user rm carol --yes')
    expect((await must('group show short')).data).toMatchObject({ members: [] })
    await world.member('carol')
    expect((await must('group show short')).data).toMatchObject({ members: [] })
    await must('group rm short --yes')
  })

  test.each([
    ['group quota short memory=8g', 'not_found', /no group called short/],
    ['group quota', 'usage', /needs GROUP/],
    ['group grant short cap:ALL', 'not_found', /no group called short/],
  ] as const)('%s is refused', async (line, code, why) => {
    expect((await world.refused(world.admin, line, code)).text).toMatch(why)
  })
})
