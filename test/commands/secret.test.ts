import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
const value = 'correct horse\nbattery "staple"'
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  await world.say(alice!, 'create web --image debian')
})
afterAll(() => world[Symbol.asyncDispose]())

const set = (name: string, text: string, container = 'web') => ({
  name: 'secret set',
  args: { container, name, value: text },
})
const files = async () => world.host.fake.run((await world.container(alice!, 'web')).id)?.secrets

test('a value is where the container finds it, at once, and again after every start', async () => {
  const { reply, rows } = await world.tell(alice!, set('DB_PASSWORD', value))
  expect(reply).toMatchObject({
    text: 'web finds DB_PASSWORD in /run/secrets now.',
    data: { path: '/run/secrets/DB_PASSWORD' },
  })
  expect(await files()).toEqual({ DB_PASSWORD: value })
  expect(rows).toMatchObject([{ command: 'secret set', target: 'web DB_PASSWORD', decision: 'done' }])
  await world.say(alice!, 'restart web')
  expect(await files()).toEqual({ DB_PASSWORD: value })
  await world.say(alice!, set('DB_PASSWORD', 'other'))
  await world.say(alice!, set('tls.key', value))
  expect(await files()).toEqual({ DB_PASSWORD: 'other', 'tls.key': value })
})

test('N06: it is sealed in the database, and in no answer, audit row, image or variable', async () => {
  const written = JSON.stringify(await world.rows('select * from secrets'))
  expect(written).toContain('DB_PASSWORD')
  for (const text of ['horse', 'staple', '"other"']) expect(written).not.toContain(text)
  const shown: string[] = []
  for (const line of ['secret ls web', 'inspect web', 'ps', 'events web', 'commit web web:v1'])
    shown.push(JSON.stringify(await world.say(alice!, line)))
  const kept = JSON.stringify([
    await world.store.audit.read({ limit: 1000 }),
    await world.rows('select input, state, reply from operations'),
    world.host.fake.wish((await world.container(alice!, 'web')).engineId!),
  ])
  for (const text of [...shown, kept]) expect(text).not.toContain('horse')
  expect((await world.say(alice!, 'secret ls web')).table?.rows.map((row) => row[0])).toEqual([
    'DB_PASSWORD',
    'tls.key',
  ])
})

test('one that is sealed for a container opens for no other, nor under another name', async () => {
  const [{ container_id: id, sealed }] = (await world.rows<{ container_id: string; sealed: string }>(
    "select * from secrets where name = 'DB_PASSWORD'",
  )) as [{ container_id: string; sealed: string }]
  expect(world.works.seal.open(sealed, `${id}/DB_PASSWORD`)).toBe('other')
  for (const row of [`another00000/DB_PASSWORD`, `${id}/tls.key`, id])
    expect(() => world.works.seal.open(sealed, row)).toThrow()
})

test('a value that is typed on a line is refused, unread, and the form asks for it', async () => {
  const reply = await world.refused(alice!, 'secret set web TOKEN hunter2', 'usage')
  expect(JSON.stringify(reply)).not.toContain('hunter2')
  expect(reply.ask).toEqual({ command: 'secret set', given: { container: 'web', name: 'TOKEN' }, missing: ['value'] })
  expect((await world.refused(alice!, 'secret set web TOKEN', 'usage')).ask).toMatchObject({ missing: ['value'] })
  await world.refused(alice!, 'secret set web TOKEN -', 'usage')
  expect(JSON.stringify(await world.store.audit.read({ limit: 1000 }))).not.toContain('hunter2')
})

test('secret rm takes the file out; what is not there is told', async () => {
  await world.say(alice!, 'secret rm web tls.key')
  expect(await files()).toEqual({ DB_PASSWORD: 'other' })
  expect(await world.say(alice!, 'secret rm web tls.key')).toMatchObject({
    error: 'not_found',
    text: 'web has no secret tls.key.',
  })
})

test.each(['', '.', '..', '../x', 'a/b', '.hidden', '-x', 'a b', 'x'.repeat(65)])(
  'D: %o is no name of a file',
  async (name) => {
    await world.refused(alice!, set(name, 'x'), 'usage')
  },
)

test('there is a limit to how many, and changing one is not one more', async () => {
  const { id } = await world.container(alice!, 'web')
  for (let at = 0; at < 63; at++)
    await world.store.secrets.put({
      containerId: id,
      name: `N${at}`,
      sealed: world.works.seal.seal('x', `${id}/N${at}`),
    })
  await world.refused(alice!, set('MORE', 'x'), 'limited')
  expect((await world.say(alice!, set('N0', 'y'))).error).toBeUndefined()
})

test('only its owner has to do with it: no guest, and it goes with its container', async () => {
  await world.say(alice!, 'share web bob --ssh --yes')
  for (const said of [set('X', 'x', 'alice/web'), 'secret ls alice/web', 'secret rm alice/web N0'])
    await world.refused(bob!, said, 'denied')
  await world.say(alice!, 'rm -f web')
  expect(await world.rows('select * from secrets')).toEqual([])
})
