import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttp } from '../../src/adapters/http/index.ts'
import type { Person } from '../../src/core/model/person.ts'
import type { Reply } from '../../src/core/reply/reply.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob, carol]: Person[] = []
let http: ReturnType<typeof createHttp>
let token: string
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob, carol] = [await world.member('alice'), await world.member('bob'), await world.member('carol')]
  expect((await world.say(bob, 'create victim --image debian -m 64m')).error).toBeUndefined()
  token = (await world.say(alice, 'token new http')).code!
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  http = createHttp({ door: world.door, log: log as never, version: '0' })
})
afterAll(() => world[Symbol.asyncDispose]())

type Got = { status: number; reply: Reply }

/** A request as alice's token makes it, over the real HTTP API. */
async function post(path: string, body: string): Promise<Got> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answer = await http.fetch(new Request(`http://dcm/v1/${path}`, { method: 'POST', headers, body }), {
    address: '127.0.0.1',
  })
  return { status: answer.status, reply: (await answer.json()) as Reply }
}

/** A request that has to be refused. @returns its answer */
async function refused(path: string, body: string, statuses: readonly number[]): Promise<Reply> {
  let got: Got | undefined
  await world.nothing(async () => {
    got = await post(path, body)
    return got.reply.error
  })
  expect(statuses, got!.reply.text).toContain(got!.status)
  expect((await world.store.containers.of(alice!.id)).map((one) => one.name)).toEqual([])
  return got!.reply
}

/** Flags of `create`, as a line is typed and as JSON names them. What has no JSON form there is none of. */
const wishes: [id: string, flags: string, json: Record<string, unknown> | undefined][] = [
  ['A01', '--privileged', { privileged: true }],
  ['A01', '--privileged=true', { Privileged: true }],
  ['A01', '--pid host', { pid: 'host' }],
  ['A01', '--pid=host', { PidMode: 'host' }],
  ['A01', '--network host', { network: 'host' }],
  ['A01', '--net=host', { NetworkMode: 'host' }],
  ['A01', '--ipc host', { ipc: 'host' }],
  ['A01', '--uts=host', { uts: 'host' }],
  ['A01', '--userns host', { userns: 'host' }],
  ['A02', '-v /:/h', { volumes: ['/:/h'] }],
  ['A02', '--volume /etc:/x', { Binds: ['/etc:/x'] }],
  [
    'A02',
    '--mount type=bind,src=/var/run/docker.sock,dst=/s',
    { Mounts: [{ Type: 'bind', Source: '/', Target: '/h' }] },
  ],
  ['A02', '--bind /var/lib/dcm:/d', { HostConfig: { Binds: ['/:/h'] } }],
  [
    'A03',
    '--mount type=volume,volume-opt=o=bind,volume-opt=device=/etc,dst=/e',
    {
      Mounts: [
        {
          Type: 'volume',
          VolumeOptions: { DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/etc' } } },
        },
      ],
    },
  ],
  ['A03', '--volume-driver local', { VolumeDriver: 'local' }],
  ['A04', '--volumes-from victim', { VolumesFrom: ['victim'] }],
  ['A05', '--network container:victim', { NetworkMode: 'container:victim' }],
  ['A05', '--pid container:victim', { PidMode: 'container:victim' }],
  ['A05', '--ipc=container:victim', { IpcMode: 'container:victim' }],
  ['A05', '--link victim:v', { Links: ['victim:v'] }],
  ['A06', '--cap-add SYS_ADMIN', { 'cap-add': ['SYS_ADMIN'] }],
  ['A06', '--cap-add ALL', { 'cap-add': 'ALL' }],
  ['A06', '--cap-add cap_sys_ptrace', { 'cap-add': ['cap_sys_ptrace'] }],
  ['A06', '--cap-add=CAP_Sys_Admin', { CapAdd: ['SYS_ADMIN'] }],
  ['A06', '--cap-drop NONE', { CapDrop: [] }],
  ['A07', '--security-opt seccomp=unconfined', { SecurityOpt: ['seccomp=unconfined'] }],
  ['A07', '--security-opt no-new-privileges:false', { SecurityOpt: ['no-new-privileges:false'] }],
  ['A07', '--security-opt apparmor=unconfined', { SecurityOpt: ['apparmor=unconfined'] }],
  ['A07', '--seccomp unconfined', { seccomp: 'unconfined' }],
  ['A07', `--seccomp '{"defaultAction":"SCMP_ACT_ALLOW"}'`, { seccomp: '{"defaultAction":"SCMP_ACT_ALLOW"}' }],
  ['A08', '--security-opt systempaths=unconfined', { MaskedPaths: [], ReadonlyPaths: [] }],
  ['A09', '--device /dev/vda', { device: ['/dev/vda'] }],
  ['A09', '--device-cgroup-rule "b *:* rwm"', { DeviceCgroupRules: ['b *:* rwm'] }],
  ['A09', '--gpus all', { DeviceRequests: [{ Count: -1 }] }],
  ['A11', '--restart always', { restart: 'always' }],
  ['A11', '--restart on-failure:-1', { restart: 'on-failure:-1' }],
  ['A11', '--restart unless-stopped', { restart: 'unless-stopped' }],
  ['A11', '--rm', { AutoRemove: true }],
  ['A14', '--cgroup-parent /', { CgroupParent: '/' }],
  ['A14', '--cgroupns host', { CgroupnsMode: 'host' }],
  ['A14', '--oom-score-adj -1000', { OomScoreAdj: -1000 }],
  ['A14', '--oom-kill-disable', { OomKillDisable: true }],
  ['A15', '--log-driver syslog --log-opt syslog-address=udp://127.0.0.1:514', { LogConfig: { Type: 'syslog' } }],
  ['A17', '--hostname "a b"', { Hostname: 'a\nb' }],
  ['A17', '--dns-option "x y"', { DnsOptions: ['x\ny'] }],
  ['A17', '--add-host x:1.2.3.4', { ExtraHosts: ['x:1.2.3.4'] }],
  ['A17', '--mac-address 02:42:ac:11:00:02', { MacAddress: '02:42:ac:11:00:02' }],
  ['A18', '--tmpfs /t', { Tmpfs: { '/t': 'size=100g' } }],
  ['A18', '--shm-size 50g', { ShmSize: 50 * 2 ** 30 }],
  ['A18', '--storage-opt size=100g', { StorageOpt: { size: '100g' } }],
  ['A18', '--ulimit nofile=1000000', { Ulimits: [] }],
  ['A18', '--sysctl net.ipv4.ip_forward=1', { Sysctls: { 'net.ipv4.ip_forward': '1' } }],
  ['A18', '--runtime runsc', { Runtime: 'runsc' }],
  ['A18', '--init=false', { Init: false }],
  ['A18', '--user 0', { User: '0' }],
  ['A18', '--entrypoint /bin/sh', { Entrypoint: ['/bin/sh'] }],
  ['A18', '--health-cmd true', { Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000 } }],
  ['A18', '--label dcm.owner=bob', { Labels: { 'dcm.owner': 'bob' } }],
  ['A18', '--ip 10.200.0.9', { NetworkingConfig: { EndpointsConfig: { bridge: {} } } }],
  ['A18', '-e DCM_SETENV=x', { env: ['DCM=1'] }],
  ['A18', '-p 22:22', { publish: ['22:22'] }],
]

describe('what is never offered, by whatever spelling it is asked for', () => {
  test.each(wishes)('%s %s', async (_id, flags) => {
    const reply = await world.refused(alice!, `create x --image debian ${flags} -- true`, ['usage', 'denied'])
    // The option is named, or the grant that would permit it, so that who meant well knows what to ask for.
    const name = /^-+([a-z-]+)/.exec(flags)![1]!
    expect(reply.text.toLowerCase(), flags).toMatch(
      new RegExp(
        `${name}|grant member|dcm|${{ p: 'host port', e: 'variable', v: '-v' }[name] ?? name}|${name.replace('-add', '')}|not right for`,
      ),
    )
  })

  test.each(wishes.filter(([, , json]) => json))('%s %s as JSON', async (_id, _flags, json) => {
    await refused('create', JSON.stringify({ name: 'x', image: 'debian', ...json }), [400, 403])
    const [row] = await world.store.audit.read({ limit: 1 })
    expect(row).toMatchObject({ actor: 'alice', command: 'create', surface: 'http' })
  })

  test.each([
    ['another case of a known name', '{"name":"x","image":"debian","MEMORY":"1g"}'],
    ['hostconfig in small letters', '{"name":"x","image":"debian","hostconfig":{"PRIVILEGED":true}}'],
    ['constructor.prototype', '{"name":"x","image":"debian","constructor":{"prototype":{"memory":"1g"}}}'],
    ['toString', '{"name":"x","image":"debian","toString":"y"}'],
    ['hasOwnProperty', '{"name":"x","image":"debian","hasOwnProperty":true}'],
    ['an object where text belongs', '{"name":{"toString":"x"},"image":"debian"}'],
    ['a list where one value belongs', '{"name":["x"],"image":"debian"}'],
    ['a list of lists', '{"name":"x","image":"debian","publish":[["80"]]}'],
  ])('A12 %s', async (_, body) => {
    await refused('create', body, [400])
    expect(({} as { memory?: unknown }).memory).toBeUndefined()
  })

  test.each([
    ['a name twice', '{"name":"x","name":"y","image":"debian"}'],
    ['a name twice, escaped', '{"name":"x","\\u006eame":"y","image":"debian"}'],
    ['__proto__', '{"name":"x","image":"debian","__proto__":{"memory":"1g"}}'],
    ['a body that is a list', '["create"]'],
    ['null', 'null'],
  ])('A12 %s is no call at all', async (_, body) => {
    const [before, asked] = [await world.store.audit.read({ limit: 1 }), world.host.fake.calls.length]
    expect((await post('create', body)).status).toBe(400)
    expect(world.host.fake.calls).toHaveLength(asked)
    expect(await world.store.audit.read({ limit: 1 })).toEqual(before)
    expect(({} as { memory?: unknown }).memory).toBeUndefined()
  })
})

describe('A10 limits', () => {
  test.each(
    [
      '0',
      '-1',
      '1e18',
      'NaN',
      '512m ',
      ' 512m',
      '0x10',
      '1e3',
      '',
      'Infinity',
      '1',
      '15m',
      '2t',
      '٥٠٠m',
      '5\u0661m',
      '999999999999999999999',
      '512mm',
      '1.5.5g',
      '-0',
      '+512m',
      'null',
      '512M;',
    ].flatMap((value) => [['memory', value] as const, ['cpus', value] as const, ['pids-limit', value] as const]),
  )('%s %j', async (name, value) => {
    // Some of them are numbers of CPUs and processes, which they may be; none is a size.
    const good = { memory: /(?!)/, cpus: /^(1)$/, 'pids-limit': /(?!)/ }[name]
    const body = JSON.stringify({
      name: 'limits',
      image: 'debian',
      [name]: value,
      ...(good.test(value) ? { 'dry-run': true } : {}),
    })
    if (good.test(value)) return expect((await post('create', body)).status).toBe(200)
    expect((await refused('create', body, [400])).text).toMatch(new RegExp(`${name}|-m`))
  })

  test.each([0, -1, 1e18, 512, true])('memory %j as a number', async (memory) => {
    await refused('create', JSON.stringify({ name: 'limits', image: 'debian', memory }), [400])
  })

  test('a limit is always there', async () => {
    expect((await world.say(alice!, 'create limits --image debian')).error).toBeUndefined()
    const { engineId } = await world.container(alice!, 'limits')
    expect(world.host.fake.wish(engineId!)!.limits).toEqual({ memory: 512 * 2 ** 20, cpus: 1000, pids: 256 })
    await world.say(alice!, 'rm -f limits')
  })
})

describe('a grant permits exactly what it names', () => {
  const capsOf = async (name: string) => world.host.fake.wish((await world.container(carol!, name)).engineId!)!.caps

  test('A06 one capability, not two, and in any spelling', async () => {
    await world.say(world.admin, 'grant carol cap:NET_ADMIN')
    expect(
      (await world.refused(carol!, 'create c1 --image debian --cap-add NET_ADMIN --cap-add SYS_PTRACE', 'denied')).text,
    ).toContain('cap:SYS_PTRACE')
    expect(
      (await world.say(carol!, 'create c1 --image debian -m 64m --cap-add cap_net_admin --cap-add NET_ADMIN')).error,
    ).toBeUndefined()
    expect(await capsOf('c1')).toEqual(['NET_ADMIN'])
  })

  test.each([
    'SYS_ADMIN',
    'SYS_MODULE',
    'SYS_RAWIO',
    'DAC_READ_SEARCH',
    'BPF',
    'PERFMON',
    'SYSLOG',
    'ALL',
    'SYS_BOOT',
    'MAC_ADMIN',
  ])('A06 not even an admin can grant %s', async (cap) => {
    await world.refused(world.admin, `grant carol cap:${cap}`, 'usage')
  })

  test('A11 a restart policy up to the number that was granted', async () => {
    await world.say(world.admin, 'grant carol restart:on-failure:5')
    for (const policy of ['on-failure:6', 'unless-stopped', 'on-failure:99'])
      await world.refused(carol!, `create c2 --image debian --restart ${policy}`, 'denied')
    await world.refused(carol!, 'create c2 --image debian --restart always', 'usage')
    expect((await world.say(carol!, 'create c2 --image debian -m 64m --restart on-failure:5')).error).toBeUndefined()
  })

  test('A16 what was revoked is in nothing new, and what had it is not started again', async () => {
    expect((await world.say(carol!, 'commit c1 c1:v1')).error).toBeUndefined()
    await world.say(world.admin, 'revoke carol cap:NET_ADMIN')
    // What runs with it goes on, as `revoke` says, and does not come up again.
    await world.refused(carol!, 'restart c1', 'denied')
    expect(await world.container(carol!, 'c1')).toMatchObject({ state: 'running', desired: 'running' })
    await world.refused(carol!, 'create c3 --image c1:v1 --cap-add NET_ADMIN', 'denied')
    // Every way to another one like it, by whoever has a say.
    for (const line of ['clone c1 c3', 'redeploy c1', 'redeploy c1 --image c1:v1', 'recreate c1 -e A=b --yes'])
      expect((await world.refused(carol!, line, 'denied')).text, line).toContain('cap:NET_ADMIN')
    for (const line of ['clone carol/c1 c3 --as carol', 'recreate carol/c1 -e A=b --yes'])
      expect((await world.refused(world.admin, line, 'denied')).text, line).toContain('cap:NET_ADMIN')
    expect((await world.say(carol!, 'create c3 --image c1:v1 -m 64m')).error).toBeUndefined()
    expect(await capsOf('c3')).toEqual([])
    await world.say(carol!, 'stop c1')
    expect((await world.refused(carol!, 'start c1', 'denied')).text).toContain('cap:NET_ADMIN')
    await world.refused(carol!, 'restart c1', 'denied')
    expect((await world.refused(world.admin, 'start carol/c1', 'denied')).text).toContain('cap:NET_ADMIN')
    expect(await world.container(carol!, 'c1')).toMatchObject({ state: 'exited', desired: 'exited' })
  })

  test('N02 an expired grant permits nothing, without anything having to run', async () => {
    await world.say(world.admin, 'grant carol cap:NET_RAW --for 1h')
    expect((await world.say(carol!, 'create c4 --image debian -m 64m --cap-add NET_RAW')).error).toBeUndefined()
    await world.sql(`update grants set expires_at = now() - interval '1 second' where thing = 'cap:NET_RAW'`)
    await world.refused(carol!, 'create c5 --image debian --cap-add NET_RAW', 'denied')
    await world.say(carol!, 'stop c4')
    await world.refused(carol!, 'start c4', 'denied')
    expect((await world.say(carol!, 'grants')).data).toMatchObject([{ thing: 'restart:on-failure:5' }])
  })

  test('a host port is granted by number, to one member', async () => {
    await world.say(world.admin, 'grant carol port:443')
    for (const port of ['443:443/udp', '8443:443', '444:443', '0443:443', '443:0', '443:65536', '443-445:443']) {
      const reply = await world.say(carol!, `create c6 --image debian -p ${port} --dry-run`)
      if (port === '443:443/udp') expect(reply.error).toBeUndefined()
      else expect(['denied', 'usage'], port).toContain(reply.error)
    }
    await world.refused(alice!, 'create c6 --image debian -p 443:443', 'denied')
    expect((await world.say(carol!, 'create c6 --image debian -m 64m -p 443:443')).data).toMatchObject({
      ports: [{ port: 443 }],
    })
    expect((await world.refused(carol!, 'create c7 --image debian -p 443:80', 'conflict')).text).toContain('taken')
  })

  test("a device and a profile are granted by their names on the admins' list", async () => {
    await world.say(world.admin, 'device add null /dev/null')
    await world.refused(carol!, 'create d1 --image debian --device null', 'denied')
    await world.refused(carol!, 'create d1 --image debian --device /dev/null', 'denied')
    await world.say(world.admin, 'grant carol device:null')
    expect((await world.say(carol!, 'create d1 --image debian -m 64m --device null')).error).toBeUndefined()
    expect(world.host.fake.wish((await world.container(carol!, 'd1')).engineId!)!.devices).toEqual(['/dev/null'])
    await world.say(world.admin, 'device rm null --yes')
    await world.say(carol!, 'stop d1')
    await world.refused(carol!, 'start d1', 'denied')
  })
})
