import { afterAll, beforeAll, expect, test } from 'vitest'
import { account, type Registry, startRegistry } from '../setup/registry.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { ask } from '../setup/engine.ts'
import type { Member } from './support/member.ts'

let [dcm, alice, bob, shut]: [Dcm, Member, Member, Registry] = [] as never
beforeAll(async () => {
  ;[dcm, shut] = await Promise.all([startDcm(), startRegistry({ locked: true })])
  ;[alice, bob] = [await dcm.member('alice'), await dcm.member('bob')]
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await shut?.[Symbol.asyncDispose]()
})

/** Every name that the engine has for an image of this registry, tags and digests. */
const names = async () => {
  const all = (await ask(dcm.engine, 'GET', '/images/json')) as {
    RepoTags: string[] | null
    RepoDigests: string[] | null
  }[]
  return all
    .flatMap((one) => [...(one.RepoTags ?? []), ...(one.RepoDigests ?? [])])
    .filter((name) => name.includes(shut.host))
}
const login = (who: Member, password: string) =>
  dcm.cli(['registry', 'login', shut.host, '--user', account.username, '-'], {
    input: `${password}\n`,
    env: { DCM_URL: dcm.url, DCM_TOKEN: who.token },
  })

test('a saved container goes to a registry with its member\u2019s own login, and comes back as a container that runs', async () => {
  expect(await alice.run(`pull ${shut.host}/al/web:v1`)).toMatchObject({ error: 'denied' })
  await dcm.must(`registry allow ${shut.host}`, { yes: true })
  const wrong = await login(alice, 'wrong')
  expect([wrong.code, wrong.stderr]).toEqual([
    3,
    expect.stringMatching(/could not do that: .*(unauthorized|incorrect)/i),
  ])
  expect(await login(alice, account.password)).toMatchObject({ code: 0, stdout: expect.stringContaining('logged in') })

  await alice.must('create web --image debian')
  await alice.ssh('web', 'echo kept >/root/file')
  await alice.must('commit web web:v1')
  await alice.must('push web:v1 '.concat(`${shut.host}/al/web:v1`))
  await alice.must('rm -f web')
  await alice.must('rmi -f web:v1')
  const pulled = await alice.must<{ digest: string; ssh: boolean }>(`pull ${shut.host}/al/web:v1 --name back:v1`)
  expect(pulled.data).toMatchObject({ image: 'back:v1', ssh: true })
  expect(await names()).toEqual([])
  await alice.must('create again --image back:v1')
  expect((await alice.ssh('again', 'cat /root/file')).stdout).toBe('kept\n')
  expect((await alice.must<{ base: string }>('image show back:v1')).data).toMatchObject({ base: 'debian:latest' })
})

test('H09 another member neither sees it nor gets it without a login, and removing one leaves the other', async () => {
  expect((await bob.must<{ image: string }[]>('images')).data.map((one) => one.image)).toEqual(['debian:latest'])
  expect(await bob.run(`pull ${shut.host}/al/web:v1`)).toMatchObject({ error: 'denied' })
  expect(await bob.run(`push back:v1 ${shut.host}/al/web:v2`)).toMatchObject({ error: 'not_found' })
  expect(await names()).toEqual([])
  await login(bob, account.password)
  await bob.must(`pull ${shut.host}/al/web:v1`)
  await alice.must('rm -f again')
  await alice.must('rmi -f back:v1')
  await bob.must('create mine --image web:v1')
  expect((await bob.ssh('mine', 'cat /root/file')).stdout).toBe('kept\n')
})

test('K01 killed while it pulls, it is there once after the next start, and nothing else is', async () => {
  const begun = await alice.run<unknown>(`pull ${shut.host}/al/web:v1 --name late:v1`, { wait: 0 })
  await dcm.kill9()
  await dcm.restart()
  expect(await dcm.http(`/v1/operations/${begun.operation!.id}?wait=60`, { token: alice.token })).toMatchObject({
    status: 200,
    text: expect.stringContaining('"state":"done"'),
  })
  expect((await alice.must<{ image: string }[]>('images')).data.filter((one) => one.image === 'late:v1')).toHaveLength(
    1,
  )
  expect(await names()).toEqual([])
})

test('what is larger than the disk that is left is given up while it comes, and leaves nothing', async () => {
  await alice.must('create big --image debian')
  await alice.ssh('big', 'head -c 40000000 /dev/urandom >/root/noise')
  await alice.must('commit big big:v1')
  await alice.must(`push big:v1 ${shut.host}/al/big:v1`)
  await alice.must('rm -f big')
  await alice.must('rmi -f big:v1')
  const carol = await dcm.member('carol')
  await dcm.must('quota set carol disk=20m')
  await login(carol, account.password)
  const refused = await carol.run(`pull ${shut.host}/al/big:v1`)
  expect(refused).toMatchObject({
    error: 'limited',
    text: expect.stringMatching(/ is 38(\.\d)?m or more, and you have 20m of disk left: /),
  })
  expect([await names(), (await carol.must<unknown[]>('images')).data]).toEqual([
    [],
    expect.objectContaining({ length: 1 }),
  ])
  await dcm.must('quota set carol disk=1g')
  await carol.must(`pull ${shut.host}/al/big:v1`)
  expect(await names()).toEqual([])
})

test('H03 the password is in no log, answer or place of the engine', async () => {
  const secrets = [account.password, Buffer.from(`${account.username}:${account.password}`).toString('base64')]
  const said = await dcm.logs()
  for (const secret of secrets) expect(said).not.toContain(secret)
  expect(JSON.stringify(await dcm.must('audit --limit 200'))).not.toContain(account.password)
})
