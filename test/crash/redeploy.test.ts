import { afterAll, beforeAll, expect, test } from 'vitest'
import { agree } from '../e2e/support/agree.ts'
import type { Said } from '../e2e/support/ask.ts'
import { createWorld, type Deed, survive, type World } from './world.ts'

let world: World
let before: { fingerprint: string; ports: { container: number; proto: string; port: number }[] }
/** What it is to become next: one or the other, so that each try begins where the last one has ended. */
let to: 'web:v1' | 'web:v2' = 'web:v2'
beforeAll(async () => {
  world = await createWorld()
  const { ada } = world
  await ada.must('create base --image debian')
  for (const version of ['v1', 'v2']) {
    expect(await ada.ssh('base', `echo ${version} > /etc/version`)).toMatchObject({ code: 0 })
    await ada.must(`commit base web:${version}`)
  }
  await ada.must('rm -f base')
  await ada.must('create web --image web:v1 -p 80')
  await ada.ssh('web', 'echo kept > /storage/kept')
  before = (await inspect(world)).data
})
afterAll(() => world?.[Symbol.asyncDispose]())

const inspect = ({ ada }: World) => ada.must<typeof before & { image: string; state: string }>('inspect web')

/** The container is one or the other, with its name, ports, storage and host key, and nothing is left of the one that it is not. */
const redeploy: Deed = {
  async prepare(all) {
    to = (await inspect(all)).data.image === 'web:v1' ? 'web:v2' : 'web:v1'
  },
  act: ({ ada }) => ada.run(`redeploy web --image ${to} -t 1`),
  async verify(all, again: Said) {
    expect(again.error, again.text).toBeUndefined()
    const { data } = await inspect(all)
    expect(data).toMatchObject({ image: to, state: 'running', fingerprint: before.fingerprint, ports: before.ports })
    expect(await all.ada.ssh('web', 'cat /etc/version /storage/kept')).toMatchObject({
      stdout: `${to.slice(4)}\nkept\n`,
    })
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
  const { image } = (await inspect(world)).data
  const said = await world.ada.run('recreate web --yes -t 1 -- false')
  expect(said).toMatchObject({
    error: 'conflict',
    text: expect.stringMatching(/exit code 1.*The one before is put back\.$/) as string,
  })
  expect((await inspect(world)).data).toMatchObject({
    image,
    state: 'running',
    fingerprint: before.fingerprint,
    ports: before.ports,
  })
  expect(await world.ada.ssh('web', 'cat /storage/kept')).toMatchObject({ stdout: 'kept\n' })
  await agree(world.dcm)
})
