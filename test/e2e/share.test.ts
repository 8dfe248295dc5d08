import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { type Member, runProgram } from './support/member.ts'
import { until } from '../setup/until.ts'

let [dcm, alice, bob]: [Dcm, Member, Member] = [] as never
beforeAll(async () => {
  dcm = await startDcm()
  ;[alice, bob] = await Promise.all([dcm.member('alice'), dcm.member('bob')])
  await alice.must('create web --image debian')
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

/** Logs in with bob's key at alice's own port, as the real client does. */
const knock = () => alice.ssh('web', 'whoami', { key: bob.key })

test('a guest logs in at the port with their own key, for as long as it is shared', async () => {
  expect((await knock()).code).toBe(255)
  await alice.must('share web bob --ssh --for 1h --yes')
  expect(await bob.ssh('alice/web', 'whoami; hostname')).toMatchObject({ code: 0, stdout: 'root\nweb\n' })
  expect((await bob.must<{ name: string; owner: string }[]>('ps')).data).toMatchObject([
    { name: 'web', owner: 'alice' },
  ])
  expect((await bob.must<{ exit_code: number }>('exec alice/web -- true')).data).toMatchObject({ exit_code: 0 })
  expect(await bob.run('stop alice/web')).toMatchObject({ error: 'denied' })
  await bob.must('unshare alice/web')
  expect((await knock()).code).toBe(255)
  expect(await bob.run('inspect alice/web')).toMatchObject({ error: 'not_found' })
})

test('the key ends by itself at the time, though DCM is not there to take it out', async () => {
  await alice.must('share web bob --ssh --for 6s --yes')
  const { data } = await alice.must<{ port: number }>('inspect web')
  // Straight at its port: nothing of DCM's is asked.
  const settings = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'LogLevel=ERROR',
  ].flatMap((one) => ['-o', one])
  const straight = () =>
    runProgram('ssh', ['-F', 'none', '-i', bob.key, ...settings, '-p', String(data.port), 'root@127.0.0.1', 'whoami'])
  expect(await straight()).toMatchObject({ code: 0, stdout: 'root\n' })
  await dcm.kill9()
  await until('sshd to refuse the key', async () => (await straight()).code === 255, 30)
  await dcm.restart()
  await until('the share to be gone', async () => (await alice.must<unknown[]>('shares')).data.length === 0)
})
