import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type Deed, survive, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
  await world.ada.must('create web --image debian -p 80')
})
afterAll(() => world?.[Symbol.asyncDispose]())

/** A verb that brings the container into a state, from the one that other verbs bring about; doing it twice is doing it once. */
const verb = (line: string, from: string[], state: string): Deed => ({
  async prepare({ ada }) {
    for (const before of from) await ada.run(before)
  },
  act: ({ ada }) => ada.run(line),
  async verify({ ask }, again) {
    if (again.error) expect(again.error, again.text).toBe('conflict')
    expect(await ask(`select state, desired from containers`)).toEqual([{ state, desired: state }])
  },
})

const deeds: Record<string, Deed> = {
  start: verb('start web', ['stop web'], 'running'),
  stop: verb('stop web', ['start web'], 'exited'),
  restart: verb('restart web', ['start web'], 'running'),
  pause: verb('pause web', ['start web', 'unpause web'], 'paused'),
  unpause: verb('unpause web', ['start web', 'pause web'], 'running'),
}

for (const [name, deed] of Object.entries(deeds))
  test(`K04 ${name} survives kill -9 before and after each engine call that changes something: the wanted state is reached`, async () => {
    expect(await survive(world, deed, 'kill', (point) => point.changes)).toEqual([])
  })

test('K04 every power verb survives a connection that is cut, and a 500, at each engine call that changes something', async () => {
  const wrong: string[] = []
  for (const deed of Object.values(deeds))
    for (const trouble of ['reset', 'status'] as const)
      wrong.push(...(await survive(world, deed, trouble, (point) => point.changes)))
  expect(wrong).toEqual([])
})
