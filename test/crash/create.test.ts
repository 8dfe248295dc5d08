import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type Deed, survive, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world?.[Symbol.asyncDispose]())

/** One container of two public ports, or none: never more, never a half. */
const create: Deed = {
  prepare: ({ ada }) => ada.run('rm -f web'),
  act: ({ ada }) => ada.run('create web --image debian -p 80 -p 53/udp'),
  async verify({ ask, ada }, again) {
    if (again.error) expect(again.text).toContain('already have a container called web')
    const rows = await ask(
      `select c.state, (select count(*)::int from ports where container_id = c.id) as ports from containers c join people p on p.id = c.owner_id where p.name = 'ada'`,
    )
    expect(rows).toEqual([{ state: 'running', ports: 3 }])
    expect(await ada.ssh('web', 'echo in')).toMatchObject({ stdout: 'in\n' })
  },
}

/** The same for someone who has no network yet. */
const first: Deed = {
  async prepare({ dcm }) {
    await dcm.run('user rm bob --images --storage', { yes: true })
  },
  async act({ dcm }) {
    await dcm.run(['user', 'add', 'bob', '--key', (await key(dcm)).publicKey])
    return dcm.run('create web --image debian', { as: 'bob' })
  },
  async verify({ ask }, again) {
    if (again.error) expect(again.text).toContain('already have a container called web')
    const rows = await ask(
      `select c.state, (select count(*)::int from networks where owner_id = p.id) as networks from containers c join people p on p.id = c.owner_id where p.name = 'bob'`,
    )
    expect(rows).toEqual([{ state: 'running', networks: 1 }])
  },
}

let made: Promise<{ publicKey: string }> | undefined
const key = ({ dataDir }: { dataDir: string }) =>
  (made ??= import('../e2e/support/member.ts').then(({ makeKey }) => makeKey(dataDir, 'bob')))

test('K01 create with two public ports survives kill -9 before and after each engine call', async () => {
  expect(await survive(world, create, 'kill')).toEqual([])
})

test('K01 create survives a connection that is cut after each engine call', async () => {
  expect(await survive(world, create, 'reset')).toEqual([])
})

test('K01 create that the engine answers with 500 at any call leaves nothing behind', async () => {
  expect(await survive(world, create, 'status')).toEqual([])
})

// Its looks are those of the first test.
test('K06 a new member and their first container, network and all, survive kill -9 at each engine call that changes something', async () => {
  expect(await survive(world, first, 'kill', (point) => point.changes)).toEqual([])
})
