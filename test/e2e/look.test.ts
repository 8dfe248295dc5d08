import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../setup/engine.ts'
import { connect } from 'node:net'
import { until } from '../setup/until.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import type { Member } from './support/member.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
beforeAll(async () => {
  dcm = await startDcm()
  alice = await dcm.member('alice')
  await alice.must([...'create web --image debian -m 128m -- sh -c'.split(' '), 'sleep 2; exit 5'])
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

type HostConfig = { Memory: number; MemorySwap: number; NanoCpus: number; PidsLimit: number }
const limitsOf = async (name: string) => {
  const { data } = await dcm.must<{ name: string; engine_id: string }[]>('inventory')
  const path = `/containers/${data.find((one) => one.name === name)!.engine_id}/json`
  const { Memory, MemorySwap, NanoCpus, PidsLimit } = (await ask<{ HostConfig: HostConfig }>(dcm.engine, 'GET', path))
    .HostConfig
  return { Memory, MemorySwap, NanoCpus, PidsLimit }
}

/** Whether SSH answers at a port. */
const greets = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('data', (said) => {
      resolve(said.toString().startsWith('SSH-2.0-'))
      socket.destroy()
    })
    socket.once('close', () => resolve(false))
    socket.once('error', () => resolve(false))
  })

test('wait answers with how the command ended, while sshd goes on', async () => {
  const { data, text } = await alice.must('wait web --for 30s')
  expect(data).toEqual({ name: 'web', ended: true, exit_code: 5, state: 'running' })
  expect(text).toBe('The command of web ended with exit code 5.')
})

test('top, stats and diff show what the container really does', async () => {
  await alice.ssh('web', 'echo kept >/srv/new; rm /etc/issue; (sleep 600 >/dev/null 2>&1 &)')
  const top = await alice.must<{ uid: string; command: string }[]>('top web')
  expect(top.data).toContainEqual(expect.objectContaining({ uid: '0', command: 'sleep 600' }))
  const stats = await alice.must<{ memory: number; memory_limit: number; pids: number }[]>('stats')
  expect(stats.data).toMatchObject([{ name: 'web', memory_limit: 128 * 2 ** 20 }])
  expect(stats.data[0]!.pids).toBeGreaterThan(2)
  expect(stats.data[0]!.memory).toBeLessThan(128 * 2 ** 20)
  const diff = await alice.must<{ changes: { kind: string; path: string }[] }>('diff web --limit 5000')
  expect(diff.data.changes).toContainEqual({ kind: 'added', path: '/srv/new' })
  expect(diff.data.changes).toContainEqual({ kind: 'deleted', path: '/etc/issue' })
  expect(diff.data.changes.map((change) => change.path)).not.toContain('/run/dcm')
})

test('update holds at once, swap along, and the container goes on', async () => {
  const uptime = await alice.ssh('web', 'stat -c %Y /proc/1')
  await alice.must('update web -m 256m --cpus 0.5 --pids-limit 100')
  expect(await limitsOf('web')).toEqual({
    Memory: 256 * 2 ** 20,
    MemorySwap: 256 * 2 ** 20,
    NanoCpus: 500_000_000,
    PidsLimit: 100,
  })
  expect(await alice.ssh('web', 'stat -c %Y /proc/1')).toEqual(uptime)
})

test('clone has the files, its own host key and ports, also those that were added, and the networks', async () => {
  for (const line of ['network create back', 'network connect back web', 'port add web 22 --for 1d'])
    await alice.must(line)
  type Found = { port: number; fingerprint: string; networks: string[]; ports: { port: number; expires_at: string }[] }
  const { data } = await alice.must<Found>('clone web twin')
  const open = (await alice.must<Found>('inspect web')).data.ports[0]!
  expect(data).toMatchObject({ networks: ['back'], ports: [{ container: 22, expires_at: open.expires_at }] })
  expect(data.ports[0]!.port).not.toBe(open.port)
  await until('its port to answer', () => greets(data.ports[0]!.port), 30)
  const { data: networks } = await alice.must<{ name: string; containers: string[] }[]>('network ls')
  expect(networks).toMatchObject([{ name: 'back', containers: ['twin', 'web'] }])
  expect((await alice.ssh('twin', 'cat /srv/new; hostname')).stdout).toBe('kept\ntwin\n')
  const web = await alice.must<{ port: number; fingerprint: string }>('inspect web')
  expect(data.port).not.toBe(web.data.port)
  expect(data.fingerprint).not.toBe(web.data.fingerprint)
  for (const line of ['rm -f twin', 'port rm web 22', 'network disconnect back web', 'network rm back'])
    await alice.must(line)
  await alice.must('rmi twin:clone --yes')
})

test('kill ends it, note stays with it, and events tell the story', async () => {
  await alice.must(['note', 'web', 'the demo'])
  expect((await alice.must('kill web')).data).toMatchObject({
    state: 'exited',
    desired: 'exited',
    exit_code: 137,
    note: 'the demo',
  })
  const { data } = await alice.must<{ what: string }[]>('events web')
  expect(data.map((one) => one.what)).toEqual([
    'kill',
    'note',
    'port rm',
    'clone',
    'port add',
    'update',
    'wait',
    'create',
  ])
})

test('df and prune: what is stopped or unused goes once confirmed, in Docker too', async () => {
  await alice.must('create up --image debian')
  await alice.must('commit up spare:v1')
  const df = await alice.must<{ used: number; images: { image: string }[]; containers: { name: string }[] }>('df')
  expect(df.data).toMatchObject({ containers: [{ name: 'up' }, { name: 'web' }], images: [{ image: 'spare:v1' }] })
  expect(df.data.used).toBeGreaterThan(10 * 2 ** 20)
  expect((await alice.run('prune')).data).toMatchObject({ confirm: true })
  expect((await alice.must('prune --yes')).data).toEqual({ containers: ['web'], images: ['spare:v1'], kept: [] })
  const { containers, tags } = await lookAt(dcm.engine, dcm.instance())
  expect(containers).toHaveLength(1)
  expect(tags).toHaveLength(1)
})
