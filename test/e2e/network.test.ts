import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../setup/engine.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import type { Member } from './support/member.ts'
import { until } from '../setup/until.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
beforeAll(async () => {
  dcm = await startDcm()
  alice = await dcm.member('alice')
  await alice.must('network create back')
  await alice.must('create web --image debian -m 64m')
  await alice.must('create db --image debian -m 64m --network back')
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

/** Whether one reaches the other's SSH server, by its name. */
const reaches = async (from: string, to: string) =>
  (await alice.ssh(from, `nc -z -w 2 ${to} 22 && echo yes || echo no`)).stdout.trim()
const addressOf = async (name: string) => (await alice.ssh(name, `hostname -i`)).stdout.trim().split(' ')[0]!
const networks = async () => (await lookAt(dcm.engine, dcm.instance())).networks.map((one) => one.name)

test('containers on two networks of one member do not reach each other, by name or by address', async () => {
  expect(await reaches('web', 'db')).toBe('no')
  expect(await reaches('web', await addressOf('db'))).toBe('no')
})

test('one that joins reaches what is there, and no longer when it has left', async () => {
  await alice.must('network connect back web')
  expect(await reaches('web', 'db')).toBe('yes')
  expect(await reaches('db', 'web')).toBe('yes')
  await alice.must('redeploy web')
  expect(await reaches('web', 'db')).toBe('yes')
  await alice.must('network disconnect back web')
  expect(await reaches('web', 'db')).toBe('no')
})

test('a job is on the networks that it names, before its command begins, and then gone', async () => {
  const line = [
    'run',
    'debian',
    '-m',
    '64m',
    '--network',
    'back',
    '--',
    'sh',
    '-c',
    'nc -z -w 2 db 22 && nc -z -w 2 web 22',
  ]
  expect(await alice.run(line)).toMatchObject({ error: 'conflict', data: { exit_code: 1 } })
  await alice.must('network create front')
  await alice.must('network connect front web')
  expect((await alice.must([...line.slice(0, 4), '--network', 'front', ...line.slice(4)])).data).toMatchObject({
    exit_code: 0,
  })
  await alice.must('network disconnect front web')
  await alice.must('network rm front')
})

test('a port of a container on a network of its own answers', async () => {
  const { data } = await alice.must<{ port: number }>('port add db 22')
  const banner = () =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: data.port })
      socket.once('data', (said) => {
        resolve(said.toString())
        socket.destroy()
      })
      socket.once('close', () => resolve(''))
      socket.once('error', () => resolve(''))
    })
  await until('the port to answer', async () => (await banner()).startsWith('SSH-2.0-'), 30)
})

test('what Docker has lost comes back; removed, it is gone there too', async () => {
  await alice.must('network connect back web')
  const { containers } = await lookAt(dcm.engine, dcm.instance())
  const called = (name: string) => containers.find((one) => one.Config.Env.includes(`DCM=${name}`))!
  const back = called('db').HostConfig.NetworkMode
  await ask(dcm.engine, 'POST', `/networks/${back}/disconnect`, { Container: called('web').Id, Force: true })
  await until('it to be back', async () => (await reaches('web', 'db')) === 'yes', 60)
  await alice.must('rm -f db')
  await alice.must('network disconnect back web')
  await alice.must('network rm back')
  expect(await networks()).not.toContain(back)
})
