import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type Deed, survive, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
  await world.ada.must('create web --image debian -e TOKEN=mine')
})
afterAll(() => world?.[Symbol.asyncDispose]())

const images = `select i.ref, c.state from images i join people p on p.id = i.owner_id join containers c on c.owner_id = p.id where p.name = 'ada'`

/** One image, recorded once, and a container that goes on. */
const commit: Deed = {
  prepare: ({ ada }) => ada.run('rmi shot:v1', { yes: true }),
  act: ({ ada }) => ada.run('commit web shot:v1'),
  async verify({ ask }, again) {
    expect(again.error, again.text).toBeUndefined()
    expect(await ask(images)).toEqual([{ ref: 'shot:v1', state: 'running' }])
  },
}

/** Over an image of the same name: the tag moves, and the old one goes. */
const over: Deed = { ...commit, prepare: ({ ada }) => ada.must('commit web shot:v1') }

test('K02 commit survives kill -9 before and after each engine call: one image or none, and nothing left paused', async () => {
  expect(await survive(world, commit, 'kill')).toEqual([])
})

// Its looks are those of the test above.
test('K02 commit over an image of that name survives kill -9 before and after each engine call that changes something', async () => {
  expect(await survive(world, over, 'kill', (point) => point.changes)).toEqual([])
})

test('K02 commit survives a connection that is cut, and a 500, at each engine call', async () => {
  expect([...(await survive(world, commit, 'reset')), ...(await survive(world, commit, 'status'))]).toEqual([])
})
