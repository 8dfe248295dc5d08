import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  await world.say(alice, 'create web --image debian')
})
afterAll(() => world[Symbol.asyncDispose]())

test('outcome tells how what goes on is getting on, then its own answer, to whom it is for', async () => {
  const over = Promise.withResolvers<void>()
  world.host.fake.programs(async function* () {
    await over.promise
    yield { stream: 'stdout', data: Buffer.from('done\n') }
    return 3
  })
  const running = world.say(alice!, 'exec web -- make')
  const { id } = await until('it to run', async () => {
    const [newest] = await world.store.operations.recent(alice!.id, 1)
    return newest?.command === 'exec' && newest.progress === 'running inside' ? newest : undefined
  })
  for (const line of [`outcome ${id}`, `operations ${id}`])
    expect(await world.say(alice!, line)).toMatchObject({
      text: expect.stringMatching(
        /^exec web has gone on for .* \(running inside\); ask again to see how it ends\.$/,
      ) as string,
      data: { id, state: 'running', command: 'exec', target: 'web' },
    })
  const bounded = await world.say(alice!, 'exec web --wait 0 -- make')
  expect(bounded).toMatchObject({
    text: expect.stringMatching(
      new RegExp(`^exec goes on.*; outcome ${bounded.operation!.id} tells how it ends\\.$`),
    ) as string,
    operation: { state: 'running' },
  })
  expect(await world.say(alice!, 'exec web --wait 1h -- make')).toMatchObject({
    error: 'usage',
    text: expect.stringContaining('up to 5m') as string,
  })
  over.resolve()
  const { operation: _, ...reply } = await running
  for (const who of [alice!, world.admin])
    expect(await world.say(who, `outcome ${id}`)).toEqual({ ...reply, private: true })
  expect(reply).toMatchObject({ data: { exit_code: 3, output: 'done\n' } })
  expect(await world.say(bob!, `outcome ${id}`)).toEqual(await world.say(bob!, 'outcome nothing'))
  expect(await world.say(bob!, `outcome ${id}`)).toMatchObject({ error: 'not_found' })
})
