import { afterAll, beforeAll, expect, test } from 'vitest'
import { agree } from '../e2e/support/agree.ts'
import type { Said } from '../e2e/support/ask.ts'
import { createWorld, type Deed, survive, type World } from './world.ts'

let world: World
let before: { fingerprint: string; ports: { container: number; proto: string; port: number }[] }
beforeAll(async () => {
  world = await createWorld()
  await world.ada.must('create base --image debian')
  expect(await world.ada.ssh('base', 'echo two > /etc/version')).toMatchObject({ code: 0 })
  await world.ada.must('commit base web:v2')
  await world.ada.must('rm -f base')
})
afterAll(() => world?.[Symbol.asyncDispose]())

const inspect = ({ ada }: World) => ada.must<typeof before & { image: string; state: string }>('inspect web')

/** The container is one or the other, with its name, ports, storage and host key, and nothing is left of the one that it is not. */
const redeploy: Deed = {
  async prepare(all) {
    await all.ada.run('rm -f web')
    await all.ada.must('create web --image debian -p 80')
    await all.ada.ssh('web', 'echo kept > /storage/kept')
    before = (await inspect(all)).data
  },
  act: ({ ada }) => ada.run('redeploy web --image web:v2 -t 1'),
  async verify(all, again: Said) {
    expect(again.error, again.text).toBeUndefined()
    const { data } = await inspect(all)
    expect(data).toMatchObject({
      image: 'web:v2',
      state: 'running',
      fingerprint: before.fingerprint,
      ports: before.ports,
    })
    expect(await all.ada.ssh('web', 'cat /etc/version /storage/kept')).toMatchObject({ stdout: 'two\nkept\n' })
    // The old one is removed for good, and none of the tries before has left another.
    expect(
      (
        await all.ask(
          `select count(*)::int as n from containers c join people p on p.id = c.owner_id where p.name = 'ada'`,
        )
      )[0],
    ).toEqual({ n: 1 })
  },
}

// Every call, and both outcomes, are tried on the fake host in test/operations/crash.test.ts; here those of the switch,
// where both containers are there: the old one's stop, the new one's start, the old one's end.
test('K01 a redeploy survives kill -9 before and after each engine call of the switch', async () => {
  expect(await survive(world, redeploy, 'kill', (point) => point.changes && !point.name.includes('create'))).toEqual([])
})

test('one that does not come up puts the old one back', async () => {
  await redeploy.prepare(world)
  const said = await world.ada.run('recreate web --yes -t 1 -- false')
  expect(said).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/exit code 1.*The one before is put back\.$/) as string,
  })
  expect((await inspect(world)).data).toMatchObject({
    image: 'debian:latest',
    state: 'running',
    fingerprint: before.fingerprint,
    ports: before.ports,
  })
  expect(await world.ada.ssh('web', 'cat /storage/kept')).toMatchObject({ stdout: 'kept\n' })
  await agree(world.dcm)
})
