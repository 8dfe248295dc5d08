import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const say = (line: string) => world.say(alice!, line)
const mounts = async (name: string) =>
  world.host.fake.wish((await world.container(alice!, name)).engineId!)!.mounts.volumes
const idOf = async (name: string) =>
  (await world.store.volumes.of(alice!.id)).find((volume) => volume.name === name)!.id
const folder = async (name: string) => `/fake/storage/${alice!.id}/volumes/${await idOf(name)}`

beforeEach(async () => {
  for (const name of ['web', 'web2', 'job']) await say(`rm -f ${name}`)
  for (const volume of await world.store.volumes.of(alice!.id)) await say(`volume rm ${volume.name} --yes`)
  expect((await say('volume create data')).error).toBeUndefined()
})

describe('a volume', () => {
  test('is mounted where it was wished, and shown; nothing else is', async () => {
    expect((await say('create web --image debian -v data:/var/lib/data -v data:/srv:ro')).error).toBeUndefined()
    const source = await folder('data')
    expect(await mounts('web')).toEqual([
      { source, path: '/var/lib/data', readOnly: false },
      { source, path: '/srv', readOnly: true },
    ])
    expect((await say('inspect web')).data).toMatchObject({
      volumes: [
        { name: 'data', path: '/var/lib/data', read_only: false },
        { name: 'data', path: '/srv', read_only: true },
      ],
    })
    expect((await say('volume ls')).data).toMatchObject([{ name: 'data', used_by: ['web'] }])
    expect((await world.say(bob!, 'volume ls')).data).toEqual([])
  })

  test('stays with the container through all that makes it anew, until it is cleared', async () => {
    await say('create web --image debian -v data:/srv')
    await say('volume create more')
    for (const line of ['stop web', 'start web', 'redeploy web', 'recreate web --yes -e A=b'])
      expect((await say(line)).error, line).toBeUndefined()
    expect(await mounts('web')).toMatchObject([{ path: '/srv' }])
    await say('recreate web --yes -v more:/srv -v data:/opt')
    expect(await mounts('web')).toEqual([
      { source: await folder('more'), path: '/srv', readOnly: false },
      { source: await folder('data'), path: '/opt', readOnly: false },
    ])
    await say('clone web web2')
    expect(await mounts('web2')).toEqual(await mounts('web'))
    await say('recreate web --yes --clear volumes')
    expect(await mounts('web')).toBeUndefined()
  })

  test('A03, A04: a folder of the host, a place of the system and two at one place are refused with words', async () => {
    const refused = async (volume: string, text: string) =>
      expect(await say(`create web --image debian ${volume}`)).toMatchObject({
        error: 'usage',
        text: expect.stringContaining(text) as string,
      })
    await refused('-v /:/mnt', 'make a volume with volume create')
    await refused('-v data:/run/secrets', 'Nothing can be mounted at /run/secrets')
    await refused('-v data:/storage', 'Nothing can be mounted at /storage')
    await refused('-v data:/srv -v data:/srv', 'Two volumes are mounted at /srv')
    expect(await world.store.containers.byName(alice!.id, 'web')).toBeUndefined()
  })

  test('that is mounted, or about to be, stays; then it goes with its folder', async () => {
    await say('create web --image debian')
    const go = world.host.fake.hold('engine.create')
    const making = say('recreate web --yes -v data:/srv')
    await expect.poll(() => world.host.fake.calls.at(-1)?.method).toBe('engine.create')
    expect(await say('volume rm data --yes')).toMatchObject({ error: 'conflict' })
    go()
    expect((await making).error).toBeUndefined()
    expect(await say('volume rm data --yes')).toMatchObject({
      error: 'conflict',
      text: 'data is mounted by web; remove that first, or make it anew without.',
    })
    expect(world.host.fake.volumes()).toEqual([await folder('data')])
    await say('rm -f web')
    expect((await say('volume rm data --yes')).error).toBeUndefined()
    expect(world.host.fake.volumes()).toEqual([])
    expect((await say('volume ls')).data).toEqual([])
  })

  test('K03: a removal that the host cannot do now goes on until it is done, and nothing mounts it meanwhile', async () => {
    const id = await idOf('data')
    world.host.fake.fail('files.removeVolume', 'broken', { times: 2 })
    const removing = say('volume rm data --yes')
    await expect.poll(async () => (await world.store.volumes.byId(id))?.leaving).toBe(true)
    expect(await say('create web --image debian -v data:/srv')).toMatchObject({ error: 'not_found' })
    expect((await say('volume ls')).data).toEqual([])
    const gone = async () => {
      await world.runner.resume()
      return world.store.volumes.byId(id)
    }
    await expect.poll(gone, { timeout: 40_000, interval: 500 }).toBeUndefined()
    expect((await removing).error).toBeUndefined()
  })

  test('removed and made again under its name it is another, and empty', async () => {
    const before = await folder('data')
    await say('volume rm data --yes')
    await say('volume create data')
    expect(await folder('data')).not.toBe(before)
    expect(await say('volume create data')).toMatchObject({ error: 'conflict' })
  })

  test('there are at most 50, and many at once are as many as fit', async () => {
    const replies = await Promise.all(Array.from({ length: 52 }, (_, at) => say(`volume create many${at}`)))
    expect(replies.filter((reply) => !reply.error)).toHaveLength(49)
    expect(replies.filter((reply) => reply.error === 'limited')).toHaveLength(3)
  })

  test('N04: with its owner it goes', async () => {
    const carol = await world.member('carol')
    await world.say(carol, 'volume create mine')
    await world.say(carol, 'create box --image debian -v mine:/srv')
    expect((await world.say(world.admin, 'user rm carol --yes --storage')).error).toBeUndefined()
    expect(await world.store.volumes.of(carol.id)).toEqual([])
    expect(world.host.fake.volumes().filter((path) => path.includes(carol.id))).toEqual([])
  })
})
