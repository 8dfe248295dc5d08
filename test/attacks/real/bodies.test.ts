import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../../setup/engine.ts'
import { type EngineProxy, startEngineProxy } from '../../stand-ins/engine.ts'
import { type Dcm, startDcm } from '../../e2e/support/dcm.ts'
import { kept } from '../../e2e/support/images.ts'
import type { Member } from '../../e2e/support/member.ts'
import { type Allowed, requestTrouble } from './policy.ts'
import { until } from '../../setup/until.ts'

let [proxy, dcm, alice, bob, carol]: [EngineProxy, Dcm, Member, Member, Member] = [] as never
/** What is on the engine that is not DCM's. */
const foreign = { container: '', volume: '', network: '', image: '', imageId: '' }
const seen: ReturnType<EngineProxy['calls']> = []

const engine = <T = unknown>(method: string, path: string, body?: object) => ask<T>(dcm.engine, method, path, body)

beforeAll(async () => {
  proxy = await startEngineProxy({ onCall: (call) => void seen.push(call) })
  dcm = await startDcm({ dockerHost: proxy.socket, engine: '/var/run/docker.sock' })
  ;[alice, bob, carol] = await Promise.all([dcm.member('alice'), dcm.member('bob'), dcm.member('carol')])
  await bob.must('create victim --image debian -m 64m')
  const mark = `foreign-${dcm.instance()}`
  foreign.volume = mark
  await engine('POST', '/volumes/create', { Name: mark })
  foreign.network = (
    await engine<{ Id: string }>('POST', '/networks/create', {
      Name: mark,
      Driver: 'bridge',
      IPAM: { Config: [{ Subnet: '10.199.7.0/26' }] },
    })
  ).Id
  foreign.container = (
    await engine<{ Id: string }>('POST', `/containers/create?name=${mark}`, {
      Image: kept,
      Cmd: ['sleep', '600'],
      HostConfig: { Binds: [`${mark}:/data`], NetworkMode: mark },
    })
  ).Id
  await engine('POST', `/containers/${foreign.container}/start`)
  // An image that somebody has set traps in: B04 to B08, B12.
  foreign.image = `${mark}:trap`
  await engine('POST', `/commit?container=${foreign.container}&repo=${mark}&tag=trap&pause=0`, {
    Entrypoint: ['/bin/false'],
    Cmd: ['nothing'],
    User: '1000',
    WorkingDir: '/nope',
    Healthcheck: { Test: ['CMD-SHELL', 'echo x >> /storage/health'], Interval: 1_000_000, Timeout: 1_000_000_000 },
    Volumes: { '/data': {}, '/srv/more': {} },
    ExposedPorts: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`${at + 1}/tcp`, {}])),
    Env: ['LD_PRELOAD=/x.so', 'PATH=', 'DCM_EVIL=1', 'BASH_ENV=/x', 'PLAIN=kept'],
    Labels: { 'dcm.owner': 'bob', 'dcm.instance': 'other', 'dcm.id': 'x', own: 'label' },
    StopSignal: 'SIGUSR1',
  })
  foreign.imageId = (await engine<{ Id: string }>('GET', `/images/${foreign.image}/json`)).Id
  await dcm.must(`image offer ${foreign.image} --name trap`)
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await proxy?.close()
  for (const path of [
    `/containers/${foreign.container}?force=1&v=1`,
    `/networks/${foreign.network}`,
    `/volumes/${foreign.volume}`,
    `/images/${foreign.image}`,
  ])
    await ask('/var/run/docker.sock', 'DELETE', path).catch(() => undefined)
})

const inspect = (engineId: string) =>
  engine<{
    State: { Status: string; Health?: unknown }
    Config: Record<string, unknown> & { Env: string[]; Labels: Record<string, string> }
    HostConfig: { PortBindings: object }
    Mounts: { Type: string; Source: string; Destination: string }[]
    LogPath: string
  }>('GET', `/containers/${engineId}/json`)
/** Engine ids of the member's containers, from the admins' list. */
const engineId = async (owner: string, name: string) =>
  (await dcm.must<{ owner: string; name: string; engine_id: string; id: string }[]>('inventory')).data.find(
    (one) => one.owner === owner && one.name === name,
  )!
const changing = () => seen.filter((call) => call.method !== 'GET' && call.method !== 'HEAD')

describe('A01 to A18: what is refused never reaches the engine, by whichever way it is asked', () => {
  const options: [string, Record<string, unknown>][] = [
    ['--privileged', { Privileged: true }],
    ['--pid host', { PidMode: 'host' }],
    ['--network host', { NetworkMode: 'host' }],
    ['-v /:/h', { Binds: ['/:/h'] }],
    ['--mount type=volume,volume-opt=device=/etc', { Mounts: [{ Type: 'volume' }] }],
    ['--volumes-from victim', { VolumesFrom: ['victim'] }],
    ['--network container:victim', { hostconfig: { NetworkMode: 'container:victim' } }],
    ['--cap-add SYS_ADMIN', { 'cap-add': ['SYS_ADMIN'] }],
    ['--cap-add NET_ADMIN', { 'cap-add': ['NET_ADMIN'] }],
    ['--security-opt seccomp=unconfined', { SecurityOpt: ['seccomp=unconfined'] }],
    ['--security-opt systempaths=unconfined', { MaskedPaths: [] }],
    ['--device /dev/vda', { device: ['/dev/vda'] }],
    ['-m 0', { memory: '0' }],
    ['--restart always', { restart: 'always' }],
    ['--cgroup-parent ../x', { CgroupParent: '../x' }],
    ['--log-driver syslog', { LogConfig: { Type: 'syslog' } }],
    ['--tmpfs /t', { Tmpfs: { '/t': '' } }],
    ['-p 443:443', { publish: ['443:443'] }],
    ['--hostname "a b"', { Hostname: 'a\nb' }],
  ]

  test.each(options)('%s', async (flags, json) => {
    const before = changing().length
    const post = (body: object) => dcm.http('/v1/create', { method: 'POST', token: alice.token, body })
    const codes = [
      (await alice.run(['create', 'x', '--image', 'debian', ...flags.split(' ')])).error,
      (JSON.parse((await post({ name: 'x', image: 'debian', ...json })).text) as { error: string }).error,
      (
        JSON.parse(
          (
            await dcm.http('/v1/line', {
              method: 'POST',
              token: alice.token,
              body: { line: `create x --image debian ${flags}` },
            })
          ).text,
        ) as { error: string }
      ).error,
      // As an admin who acts for her: her rights, no others.
      (await dcm.run(['create', 'x', '--image', 'debian', ...flags.split(' ')], { as: 'alice' })).error,
    ]
    for (const code of codes) expect(['usage', 'denied']).toContain(code)
    expect(
      changing()
        .slice(before)
        .map((call) => `${call.method} ${call.path}`),
    ).toEqual([])
    const rows = (
      await dcm.must<{ actor: string; as: string | null; command: string; decision: string; code: string }[]>(
        'audit --limit 4',
      )
    ).data
    expect(rows.map((row) => [row.command, row.decision, row.as ?? row.actor])).toEqual(
      Array(4).fill(['create', 'refused', 'alice']),
    )
    expect(rows.map((row) => row.code)).toEqual(codes.toReversed())
  })

  test('and by the dcm command', async () => {
    const before = changing().length
    const ran = await dcm.cli(['create', 'x', '--image', 'debian', '--privileged', '--as', 'alice'])
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toMatch(/^create has no --privileged/)
    expect(changing()).toHaveLength(before)
  })
})

describe('B04 to B08, B12: what an image brings is neutralised', () => {
  let made: { engine_id: string }

  test('a container of it comes up, and SSH works', async () => {
    await alice.must('create trapped --image trap -p 8080 -m 128m')
    made = await engineId('alice', 'trapped')
    expect(
      (await alice.ssh('trapped', 'id -u; pwd; echo "$LD_PRELOAD|$DCM_EVIL|$BASH_ENV|$PLAIN"; command -v ls')).stdout,
    ).toBe('0\n/root\n|||kept\n/usr/bin/ls\n')
  })

  test("its healthcheck, ports, volumes, labels and stop signal are DCM's", async () => {
    const { State, Config, HostConfig, Mounts } = await inspect(made.engine_id)
    expect(State.Health).toBeUndefined()
    expect(Config['Healthcheck']).toMatchObject({ Test: ['NONE'] })
    expect(Object.keys(HostConfig.PortBindings)).toEqual(['22/tcp', '8080/tcp'])
    expect(Mounts.filter((mount) => mount.Type === 'volume')).toEqual([])
    expect(
      Mounts.filter((mount) => mount.Type === 'bind')
        .map((mount) => mount.Destination)
        .toSorted(),
    ).toEqual(['/run/dcm', '/run/dcm/storage'])
    expect(Config.Labels).toMatchObject({ 'dcm.instance': dcm.instance(), own: 'label' })
    expect(Config.Labels['dcm.owner']).not.toBe('bob')
    expect(Config['StopSignal']).toBe('SIGTERM')
    expect(
      (await alice.ssh('trapped', 'ls /storage/health 2>/dev/null; df --output=fstype /data | tail -1')).stdout,
    ).toBe('tmpfs\n')
  })

  test('B06 nothing dangles after it is made and removed again', async () => {
    const volumes = async () =>
      ((await engine<{ Volumes: { Name: string }[] | null }>('GET', '/volumes')).Volumes ?? [])
        .map((one) => one.Name)
        .filter((name) => /^[0-9a-f]{64}$/.test(name))
    const before = await volumes()
    for (let times = 0; times < 3; times++) {
      await alice.must('rm -f trapped')
      await alice.must('create trapped --image trap -m 128m')
    }
    await alice.must('rm -f trapped')
    expect((await volumes()).filter((name) => !before.includes(name))).toEqual([])
  })
})

describe('A06, A07, A09, A11: what was granted is what is asked for', () => {
  test('a capability, a device, a profile, a port and a policy', async () => {
    await dcm.must('device add zero /dev/zero')
    await dcm.must(['seccomp', 'add', 'strict', JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [] })])
    for (const thing of ['cap:NET_ADMIN', 'device:zero', 'seccomp:strict', 'restart:on-failure:3'])
      await dcm.must(`grant carol ${thing}`)
    expect((await carol.run('create both --image debian --cap-add NET_ADMIN --cap-add SYS_PTRACE')).error).toBe(
      'denied',
    )
    await carol.must('create tools --image debian -m 64m --cap-add NET_ADMIN --device zero --restart on-failure:3')
    const { HostConfig } = await engine<{
      HostConfig: { CapAdd: string[]; Devices: { PathOnHost: string }[]; RestartPolicy: object }
    }>('GET', `/containers/${(await engineId('carol', 'tools')).engine_id}/json`)
    expect(
      HostConfig.CapAdd.filter((cap) => !cap.startsWith('CAP_')).concat(
        HostConfig.CapAdd.filter((cap) => cap.startsWith('CAP_')).map((cap) => cap.slice(4)),
      ),
    ).toContain('NET_ADMIN')
    expect(HostConfig.CapAdd).toHaveLength(10)
    expect(HostConfig).toMatchObject({
      Devices: [{ PathOnHost: '/dev/zero' }],
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    })
    // A profile that allows nothing lets nothing start: the create fails, and takes all of it back.
    expect((await carol.run('create shut --image debian -m 64m --seccomp strict')).error).toBe('conflict')
    expect((await carol.must<{ name: string }[]>('ps')).data.map((one) => one.name)).toEqual(['tools'])
    await carol.must('rm -f tools')
  })
})

test('A15 what a container prints stays within its bound on the disk', async () => {
  await alice.must([
    'create',
    'loud',
    '--image',
    'debian',
    '-m',
    '128m',
    '--',
    'sh',
    '-c',
    'yes 0123456789012345678901234567890123456789 | head -c 45000000; echo done',
  ])
  const { engine_id } = await engineId('alice', 'loud')
  const { LogPath } = await inspect(engine_id)
  await until(
    'the printing to end',
    async () => (await alice.run<{ log: string }>('logs loud --tail 3')).data?.log.includes('done'),
    60,
  )
  const folder = join(LogPath, '..')
  let bytes = 0
  for (const name of await readdir(folder))
    if (name.includes('-json.log')) bytes += (await stat(join(folder, name))).size
  expect(bytes).toBeGreaterThan(5_000_000)
  expect(bytes).toBeLessThan(3 * 10 * 1024 ** 2 + 100_000)
  await alice.must('rm -f loud')
})

describe('C05, C06, C08, C09: whose an object is', () => {
  test('C05 a removal that comes late removes what it was meant for, and nothing of the same name', async () => {
    await alice.must('create late --image debian -m 64m')
    const { engine_id } = await engineId('alice', 'late')
    const { Name } = await engine<{ Name: string }>('GET', `/containers/${engine_id}/json`)
    proxy.clear()
    proxy.rule({ method: 'DELETE', path: '/containers/*', action: { type: 'delay', ms: 1500 } })
    const removing = alice.run('rm -f late')
    await proxy.seen({ method: 'DELETE', path: '/containers/*' })
    await engine('DELETE', `/containers/${engine_id}?force=1&v=1`)
    const other = await engine<{ Id: string }>('POST', `/containers/create?name=${Name.slice(1)}`, {
      Image: kept,
      Cmd: ['sleep', '9'],
    })
    try {
      await removing
      expect((await inspect(other.Id)).State.Status).toBe('created')
    } finally {
      await engine('DELETE', `/containers/${other.Id}?force=1`).catch(() => undefined)
      proxy.clear()
    }
    await until(
      'late to be gone',
      async () =>
        !(await alice.must<{ name: string }[]>('ps')).data.some((one) => one.name === 'late') ||
        (await alice.run('rm -f late')).error === undefined,
    )
  })

  test("C09 a container with DCM's labels that DCM did not make is neither shown, taken over nor removed", async () => {
    const bobs = await engineId('bob', 'victim')
    const labels = (await inspect(bobs.engine_id)).Config.Labels
    const planted = await engine<{ Id: string }>('POST', `/containers/create?name=dcm-${dcm.instance()}-planted`, {
      Image: kept,
      Cmd: ['sleep', '300'],
      Labels: labels,
    })
    await engine('POST', `/containers/${planted.Id}/start`)
    await dcm.stop()
    await dcm.restart()
    expect((await dcm.must<{ engine_id: string }[]>('inventory')).data.map((one) => one.engine_id)).not.toContain(
      planted.Id,
    )
    expect((await bob.must<unknown[]>('ps')).data).toHaveLength(1)
    expect((await inspect(planted.Id)).State.Status).toBe('running')
    expect(
      (await dcm.must<{ name: string; holds: boolean; says: string }[]>('doctor')).data.find(
        (check) => check.name === 'objects',
      ),
    ).toMatchObject({ holds: false, says: expect.stringContaining(`dcm-${dcm.instance()}-planted`) })
    await engine('DELETE', `/containers/${planted.Id}?force=1`)
  })

  test("C08 what is not DCM's is as it was, and nobody sees it", async () => {
    for (const line of [
      `inspect ${foreign.container}`,
      `rm -f ${foreign.container.slice(0, 12)}`,
      `stop foreign-${dcm.instance()}`,
      `rmi -f ${foreign.image}`,
      `create x --image ${foreign.imageId}`,
    ]) {
      const before = changing().length
      expect((await alice.run(line)).error, line).toBe('not_found')
      expect((await dcm.run(line)).error, line).toBe('not_found')
      expect(changing().slice(before), line).toEqual([])
      const { data } = await dcm.must<{ decision: string; code: string }[]>('audit --limit 2')
      expect(data, line).toMatchObject(Array(2).fill({ decision: 'refused', code: 'not_found' }))
    }
    await dcm.must('user rm carol --images --storage', { yes: true })
    expect((await inspect(foreign.container)).State.Status).toBe('running')
    await engine('GET', `/networks/${foreign.network}`)
    await engine('GET', `/volumes/${foreign.volume}`)
    expect((await engine<{ Id: string }>('GET', `/images/${foreign.image}/json`)).Id).toBe(foreign.imageId)
  })
})

test('every request of this whole run was one that DCM may make', async () => {
  const allowed: Allowed = {
    instance: dcm.instance(),
    dataDir: dcm.dataDir,
    ports: [],
    caps: ['NET_ADMIN'],
    devices: ['/dev/zero'],
  }
  const creates = seen.filter((call) => call.path === '/containers/create')
  expect(creates.length).toBeGreaterThan(8)
  const trouble = seen.flatMap((call) =>
    requestTrouble(call, allowed).map((what) => `${call.method} ${call.path}: ${what}`),
  )
  expect([...new Set(trouble)]).toEqual([])
})
