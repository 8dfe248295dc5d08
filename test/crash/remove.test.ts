import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeKey } from '../e2e/support/member.ts'
import { createWorld, type Deed, survive, type World } from './world.ts'

let world: World
let publicKey = ''
beforeAll(async () => {
  world = await createWorld()
  publicKey = (await makeKey(world.dcm.dataDir, 'bob')).publicKey
  // Someone else, whose belongings stay whatever is removed.
  await world.ada.must('create keep --image debian -p 8080')
})
afterAll(async () => {
  try {
    const rows = await world.ask(
      `select c.name, c.state from containers c join people p on p.id = c.owner_id where p.name = 'ada'`,
    )
    expect(rows).toEqual([{ name: 'keep', state: 'running' }])
  } finally {
    await world?.[Symbol.asyncDispose]()
  }
})

const belongings = (name: string) => `select
  (select count(*)::int from containers c join people p on p.id = c.owner_id where p.name = '${name}' and c.name <> 'keep') as containers,
  (select count(*)::int from ports o join people p on p.id = o.owner_id where p.name = '${name}' and o.container_port not in (22, 8080)) as ports,
  (select count(*)::int from people where name = '${name}') as people`

/** Gone, with its ports; never half gone. */
const remove: Deed = {
  prepare: ({ ada }) => ada.run('create web --image debian -p 80'),
  act: ({ ada }) => ada.run('rm -f web'),
  async verify({ ask }, again) {
    if (again.error) expect(again.error, again.text).toBe('not_found')
    expect(await ask(belongings('ada'))).toEqual([{ containers: 0, ports: 0, people: 1 }])
  },
}

/** A member with a container that runs, one that is paused and an image, and all of that gone. */
const removeUser: Deed = {
  async prepare({ dcm }) {
    await dcm.run(['user', 'add', 'bob', '--key', publicKey])
    const made = await Promise.all(
      ['one', 'two'].map((name) => dcm.run(`create ${name} --image debian`, { as: 'bob' })),
    )
    for (const { error, text } of made) if (!text.includes('already have')) expect(error, text).toBeUndefined()
    await dcm.run('commit one saved', { as: 'bob' })
    await dcm.run('pause two', { as: 'bob' })
  },
  act: ({ dcm }) => dcm.run('user rm bob --images --storage', { yes: true }),
  async verify({ ask, dcm }, again) {
    if (again.error) expect(again.error, again.text).toBe('not_found')
    expect(await ask(belongings('bob'))).toEqual([{ containers: 0, ports: 0, people: 0 }])
    expect(await ask('select name from people order by name')).toEqual([{ name: 'ada' }, { name: 'admin' }])
    expect((await dcm.must<unknown[]>('inventory')).data).toHaveLength(1)
  },
}

test('K03 rm survives kill -9 before and after each engine call', async () => {
  expect(await survive(world, remove, 'kill')).toEqual([])
})

test('K03 rm survives a connection that is cut, and a 500, at each engine call', async () => {
  expect([...(await survive(world, remove, 'reset')), ...(await survive(world, remove, 'status'))]).toEqual([])
})

// Its looks are those of rm, above.
test('K05 user rm --images --storage survives kill -9 before and after each engine call that changes something, and touches nothing of others', async () => {
  expect(await survive(world, removeUser, 'kill', (point) => point.changes)).toEqual([])
})
