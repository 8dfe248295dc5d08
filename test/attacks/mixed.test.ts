import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { reconcile, tidyTags } from '../../src/core/upkeep/reconcile.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'
import type { FakeMethod } from '../stand-ins/host/fake.ts'

let world: World
let members: Person[]
beforeAll(async () => {
  world = await createWorld()
  members = await Promise.all(['ada', 'bob', 'cyd', 'dee'].map((name) => world.member(name)))
})
afterAll(() => world[Symbol.asyncDispose]())

/** mulberry32, so that a failure can be had again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const lines = [
  ...['create NAME --image debian -m 64m -p 80', 'create NAME --image debian -m 64m', 'rm -f NAME', 'start NAME'],
  ...['stop NAME', 'restart NAME', 'pause NAME', 'unpause NAME', 'commit NAME shot:NAME', 'rmi -f shot:NAME', 'ps'],
  ...['rename NAME other', 'rename other NAME', 'redeploy NAME', 'port add NAME 8080', 'port rm NAME 8080'],
  ...['update NAME -m 96m', 'create NAME --image shot:NAME -m 64m', 'df', 'extend NAME 1d', 'note NAME x'],
]
const methods: FakeMethod[] = [
  ...(['engine.create', 'engine.start', 'engine.stop', 'engine.pause', 'engine.unpause', 'engine.remove'] as const),
  ...(['engine.commit', 'engine.untag', 'engine.forward', 'engine.unforward', 'engine.update'] as const),
  ...(['files.placeRun', 'files.removeRun', 'files.writeKeys', 'engine.inspect'] as const),
]

/** What could not be done is tried again, as by the loops of a process, but at once. @returns whether nothing is left */
async function again(): Promise<boolean> {
  await world.sql(`update operations set next_at = now() where status in ('open', 'undoing')`)
  await world.runner.resume()
  return (await world.store.operations.countOpen()) === 0
}

test('P03 mixed calls of four members, of which many are met by a fault: nothing breaks, nothing is done twice, and all agrees', async () => {
  const pick = random(20_261_122)
  const codes = new Set<string | undefined>()
  const work = async (person: Person) => {
    for (let count = 0; count < 100; count++) {
      if (pick(20) === 0)
        world.host.fake.fail(methods[pick(methods.length)]!, pick(2) === 0 ? 'broken' : 'down', {
          after: pick(2) === 0,
        })
      const line = lines[pick(lines.length)]!.replaceAll('NAME', `c${pick(3)}`)
      const reply = await world.door.handle({ actor: { person, surface: 'http' }, input: { line } }, { wait: 20_000 })
      expect(reply.error, `${line}: ${reply.text}`).not.toBe('internal')
      codes.add(reply.error)
    }
  }
  let over = false
  const working = Promise.all(members.map(work)).finally(() => (over = true))
  while (!over) {
    await again()
    await sleep(50)
  }
  await working
  expect(codes).toContain(undefined)
  expect(codes).toContain('unavailable')

  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const upkeep = { works: world.works, runner: world.runner, log }
  const there = async () =>
    (await world.host.engine.list()).map((one) => `${one.engineName} ${one.engineId} ${one.state}`).toSorted()
  const known = async () =>
    (await world.store.containers.all())
      .filter((one) => one.state !== 'missing')
      .map((one) => `${one.engineName} ${one.engineId} ${one.state}`)
      .toSorted()
  // A fault that nothing has met yet is met by what puts things right, which looks again as its loop does.
  const whether = [() => true, () => false] as const
  let tidied = false
  for (let rounds = 0; rounds < methods.length; rounds++) {
    await until('nothing to be open', again)
    const done = await reconcile(upkeep, 'local', () => ({ seen: false }))
      .then(() => tidyTags(upkeep, 'local'))
      .then(...whether)
    await until('nothing to be open', again)
    tidied = done && JSON.stringify(await there()) === JSON.stringify(await known())
    if (tidied) break
  }
  expect(tidied).toBe(true)
  expect(await there()).toEqual(await known())
  expect(
    await world.rows('select operation_id from audit where operation_id is not null group by 1 having count(*) > 1'),
  ).toEqual([])
  const wrong = `select owner_id from usage u where containers <> (select count(*) from containers where owner_id = u.owner_id)
    or images <> (select count(*) from images where owner_id = u.owner_id)
    or ports <> (select count(*) from ports where owner_id = u.owner_id and purpose = 'public')
    or running <> (select count(*) from containers where owner_id = u.owner_id and desired in ('running', 'paused'))`
  expect(await world.rows(wrong)).toEqual([])
  expect(world.logged.filter(({ level }) => level === 'error')).toEqual([])
}, 120_000)
