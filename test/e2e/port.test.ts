import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../setup/engine.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import type { Member } from './support/member.ts'
import { reachDoor } from './support/openssh.ts'
import { until } from '../setup/until.ts'

type Open = { name: string; container: number; proto: string; host: string; port: number; expires_at: string | null }

/** Says over TCP and UDP what it was told, on port 8080, with its own name before it. */
const echo = `use Socket; my $name = $ENV{DCM};
if (fork) { socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
  bind(S, pack_sockaddr_in(8080, INADDR_ANY)); listen(S, 50);
  while (1) { accept(C, S) or next; my $got = ''; while (sysread(C, my $part, 65536)) { $got .= $part }
    syswrite(C, "$name:$got"); close C } }
socket(S, PF_INET, SOCK_DGRAM, 0); bind(S, pack_sockaddr_in(8080, INADDR_ANY));
while (my $from = recv(S, my $data, 65536, 0)) { send(S, "$name:$data", 0, $from) }`

let [dcm, alice]: [Dcm, Member] = [] as never
beforeAll(async () => {
  dcm = await startDcm()
  alice = await dcm.member('alice')
  await alice.must([...'create web --image debian -m 128m -- perl -e'.split(' '), echo])
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

const overTcp = async (port: number, data: string): Promise<string> => {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  socket.end(data)
  return text(socket).catch(() => '')
}
const overUdp = (port: number, data: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    const late = setTimeout(() => done(''), 1000)
    const done = (answer: string) => {
      clearTimeout(late)
      socket.close()
      resolve(answer)
    }
    socket.once('message', (message) => done(message.toString()))
    socket.send(data, port, '127.0.0.1')
  })
const answers = (say: typeof overTcp, port: number, answer: string) =>
  until(`"${answer}" on ${port}`, async () => (await say(port, 'hi')) === answer, 30)
const forwarders = () => {
  const filters = encodeURIComponent(JSON.stringify({ label: [`dcm.port=${dcm.instance()}`] }))
  return ask<{ Id: string; State: string }[]>(dcm.engine, 'GET', `/containers/json?all=1&filters=${filters}`)
}
const started = async () => (await lookAt(dcm.engine, dcm.instance())).containers.map((one) => one.State.StartedAt)

let [tcp, udp]: number[] = []

test('a port that is shared with nobody is reached through the SSH door, by whoever may enter', async () => {
  const bob = await dcm.member('bob')
  const door = await reachDoor(dcm)
  const through = (who: Member) =>
    door.ssh(who.name, who.key, [], { args: ['-W', `${who === bob ? 'alice/' : ''}web:8080`], input: 'hi' })
  expect((await through(alice)).code).not.toBe(0)
  expect((await alice.must<Open>('port add web 8080 --share me')).data.host).toBe('127.0.0.1')
  await until('it to answer', async () => (await through(alice)).stdout === 'web:hi')
  expect((await through(bob)).stdout).toBe('')
  await alice.must('port rm web 8080')
  expect((await through(alice)).stdout).toBe('')
})

test('a port for a day: TCP and UDP come to what listens inside, nothing is restarted and no session is cut', async () => {
  const before = await started()
  const session = alice.ssh('web', 'sleep 3; echo still here')
  const one = await alice.must<Open>('port add web 8080 --for 1d')
  const two = await alice.must<Open>('port add web 8080/udp')
  ;[tcp, udp] = [one.data.port, two.data.port]
  expect(one.data).toMatchObject({ name: 'web', container: 8080, proto: 'tcp', host: '127.0.0.1' })
  expect(Date.parse(one.data.expires_at!) - Date.now()).toBeGreaterThan(23 * 3_600_000)
  await answers(overTcp, tcp, 'web:hi')
  await answers(overUdp, udp, 'web:hi')
  const much = 'x'.repeat(3_000_000)
  expect(await overTcp(tcp, much)).toBe(`web:${much}`)
  expect((await session).stdout).toBe('still here\n')
  expect(await started()).toEqual(before)
})

test('its forwarder may nothing: no capability, no write, no root, little memory, and no list has it', async () => {
  const [first] = await forwarders()
  type Inspected = { Config: { User: string }; HostConfig: Record<string, unknown>; Mounts: unknown[] }
  const seen = await ask<Inspected>(dcm.engine, 'GET', `/containers/${first!.Id}/json`)
  expect(seen.HostConfig).toMatchObject({
    ...{ CapDrop: ['ALL'], CapAdd: null, ReadonlyRootfs: true, Privileged: false, PidsLimit: 32, Binds: null },
    ...{ SecurityOpt: ['no-new-privileges'], Memory: 64 * 2 ** 20, MemorySwap: 64 * 2 ** 20, IpcMode: 'none' },
  })
  expect(seen.Config.User).toBe('65534:65534')
  expect(seen.Mounts).toEqual([])
  expect((await alice.must<unknown[]>('ps')).data).toHaveLength(1)
  expect((await dcm.must<unknown[]>('inventory')).data).toHaveLength(1)
  expect((await dcm.must<{ name: string; holds: boolean }[]>('doctor')).data).toContainEqual(
    expect.objectContaining({ name: 'objects', holds: true }),
  )
})

test('it leads to the container through rename, stop and start, and to the new one when it is made anew', async () => {
  await alice.must('rename web site')
  await alice.must('stop site -t 1')
  expect(await overTcp(tcp!, 'hi')).toBe('')
  await alice.must('start site')
  await answers(overTcp, tcp!, 'web:hi')
  await alice.must('redeploy site')
  await answers(overTcp, tcp!, 'site:hi')
  await answers(overUdp, udp!, 'site:hi')
})

test('it goes on while DCM is down; what is lost meanwhile is made again, and what is stopped by hand starts', async () => {
  await dcm.kill9()
  expect(await overTcp(tcp!, 'hi')).toBe('site:hi')
  const [one, two] = await forwarders()
  await ask(dcm.engine, 'DELETE', `/containers/${one!.Id}?force=1`)
  await ask(dcm.engine, 'POST', `/containers/${two!.Id}/stop?t=1`)
  await dcm.restart()
  await answers(overTcp, tcp!, 'site:hi')
  await answers(overUdp, udp!, 'site:hi')
})

test('closed, and with its container, it is gone from Docker too', async () => {
  await alice.must('port rm site 8080')
  expect(await forwarders()).toHaveLength(1)
  expect((await alice.must<Open[]>('port ls')).data.map((one) => `${one.container}/${one.proto}`)).toEqual(['8080/udp'])
  await alice.must('rm -f site')
  expect(await forwarders()).toEqual([])
})
