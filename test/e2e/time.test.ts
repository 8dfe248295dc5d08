import { afterAll, beforeAll, expect, test } from 'vitest'
import { session } from '../../src/core/upkeep/idle.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import type { Member } from './support/member.ts'
import { until } from '../setup/until.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
beforeAll(async () => {
  dcm = await startDcm()
  alice = await dcm.member('alice')
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

const names = async () => (await alice.must<{ name: string }[]>('ps')).data.map((one) => one.name)

test('a container lives as long as it was given, also when DCM is killed meanwhile; extend and others go on', async () => {
  await alice.must('create short --image debian --cpus 0.5 --ttl 4s')
  await alice.must('create long --image debian --cpus 0.5 --ttl 4s')
  await alice.must('extend long 1d')
  await alice.must('create plain --image debian --cpus 0.5')
  await dcm.kill9()
  await dcm.restart()
  await until('the end of what was to end', async () => !(await names()).includes('short'))
  expect(await names()).toEqual(['long', 'plain'])
  expect((await lookAt(dcm.engine, dcm.instance())).containers).toHaveLength(2)
})

test('a schedule is stored with its next time in its zone', async () => {
  const { data } = await alice.must<{ id: string; next_at: string }>([
    'schedule',
    'plain',
    'stop',
    '0 20 * * *',
    '--tz',
    'Asia/Kolkata',
  ])
  expect(data.next_at).toMatch(/T14:30:00\.000Z$/)
  await alice.must(`schedule rm ${data.id}`)
})

test('a session at its own port shows as what idle stop takes for one', async () => {
  const shown = async () =>
    (await alice.must<{ command: string }[]>('top plain')).data.some((one) => session.test(one.command))
  expect(await shown()).toBe(false)
  const open = alice.ssh('plain', 'sleep 5')
  await until('the session to show', shown)
  await open
})
