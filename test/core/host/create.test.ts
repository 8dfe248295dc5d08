import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baseCaps, createBody } from '../../../src/core/host/docker/create.ts'
import { setEnv } from '../../../src/core/host/docker/environment.ts'
import type { ContainerWish, SeenImage } from '../../../src/core/host/engine.ts'
import { HostError } from '../../../src/core/host/fault.ts'
import { grantableCaps } from '../../../src/core/model/grant.ts'

const imageId = `sha256:${'a'.repeat(64)}`
const image: SeenImage = {
  engineId: imageId,
  size: 1,
  layers: 1,
  env: [],
  labels: {},
  volumes: [],
  entrypoint: [],
  command: [],
}
const wish: ContainerWish = {
  engineName: 'dcm-i1-c1',
  id: 'c1',
  ownerId: 'u1',
  name: 'web',
  network: 'dcm-i1-net-u1',
  imageId,
  env: [],
  command: [],
  restart: { name: 'no' },
  limits: { memory: 2 ** 28, cpus: 500, pids: 256 },
  caps: [],
  devices: [],
  seccomp: null,
  ports: [{ container: 22, proto: 'tcp', host: 20_001 }],
  mounts: { run: '/srv/dcm/run/c1', storage: '/srv/dcm/storage/u1/data' },
  ssh: true,
}
const place = { instance: 'i1', bindHost: '127.0.0.1', image }
const build = (more: Partial<ContainerWish> = {}, brought: Partial<SeenImage> = {}) =>
  createBody({ ...wish, ...more }, { ...place, image: { ...image, ...brought } })
const variables = (body: ReturnType<typeof build>) =>
  Object.fromEntries(body.Env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]))

const bodyKeys = [
  'AttachStderr',
  'AttachStdin',
  'AttachStdout',
  'Cmd',
  'Domainname',
  'Entrypoint',
  'Env',
  'ExposedPorts',
  'Healthcheck',
  'HostConfig',
  'Hostname',
  'Image',
  'Labels',
  'NetworkingConfig',
  'OpenStdin',
  'StdinOnce',
  'StopSignal',
  'StopTimeout',
  'Tty',
  'User',
  'WorkingDir',
]
const hostKeys = [
  'CapAdd',
  'CapDrop',
  'CgroupnsMode',
  'Devices',
  'Init',
  'IpcMode',
  'LogConfig',
  'Memory',
  'MemorySwap',
  'Mounts',
  'NanoCpus',
  'NetworkMode',
  'PidsLimit',
  'PortBindings',
  'RestartPolicy',
  'SecurityOpt',
  'ShmSize',
  'Ulimits',
]

describe('the create request', () => {
  test('a plain wish', () => {
    const body = build()
    expect(body).toMatchObject({
      Hostname: 'web',
      User: '0:0',
      WorkingDir: '/',
      Entrypoint: ['/bin/sh', '/run/dcm/entry', 'ssh', 'no'],
      Cmd: [],
      Image: imageId,
      Healthcheck: { Test: ['NONE'] },
      StopSignal: 'SIGTERM',
      ExposedPorts: { '22/tcp': {} },
      HostConfig: {
        Init: true,
        NetworkMode: 'dcm-i1-net-u1',
        PortBindings: { '22/tcp': [{ HostIp: '127.0.0.1', HostPort: '20001' }] },
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        CapDrop: ['ALL'],
        CapAdd: baseCaps,
        SecurityOpt: ['no-new-privileges'],
        CgroupnsMode: 'private',
        IpcMode: 'private',
        Memory: 2 ** 28,
        MemorySwap: 2 ** 28,
        NanoCpus: 500_000_000,
        PidsLimit: 256,
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
        Devices: [],
        Mounts: [
          { Type: 'bind', Source: '/srv/dcm/run/c1', Target: '/run/dcm', ReadOnly: true },
          { Type: 'bind', Source: '/srv/dcm/storage/u1/data', Target: '/run/dcm/storage', ReadOnly: false },
        ],
      },
      NetworkingConfig: { EndpointsConfig: { 'dcm-i1-net-u1': { Aliases: ['web'] } } },
    })
    expect(body.Labels).toMatchObject({ 'dcm.instance': 'i1', 'dcm.owner': 'u1', 'dcm.id': 'c1', 'dcm.aid': '' })
    expect(build().Labels).toEqual(body.Labels)
    expect(build({ command: ['x'] }).Labels['dcm.wish']).not.toBe(body.Labels['dcm.wish'])
  })

  test('A06: granted capabilities come to the base set, and only those that can be granted', () => {
    expect(build({ caps: ['SYS_PTRACE', 'CHOWN'].slice(0, 1) }).HostConfig.CapAdd).toEqual(
      [...baseCaps, 'SYS_PTRACE'].sort(),
    )
    for (const cap of ['ALL', 'SYS_ADMIN', 'cap_sys_ptrace', 'CAP_SYS_PTRACE', 'CHOWN', ''])
      expect(() => build({ caps: [cap] })).toThrow(HostError)
  })

  test('A07: a seccomp profile has to refuse by default', () => {
    const profile = '{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [] }'
    expect(build({ seccomp: profile }).HostConfig.SecurityOpt).toEqual([
      'no-new-privileges',
      'seccomp={"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}',
    ])
    for (const seccomp of [
      'unconfined',
      '{}',
      'null',
      '[]',
      '{"defaultAction":"SCMP_ACT_ALLOW"}',
      '{"defaultAction":"SCMP_ACT_LOG"}',
    ])
      expect(() => build({ seccomp })).toThrow(HostError)
  })

  test('A11: a restart policy is the one of the wish, told to the engine and to the entry program', () => {
    const body = build({ restart: { name: 'on-failure', max: 5 } })
    expect(body.HostConfig.RestartPolicy).toEqual({ Name: 'on-failure', MaximumRetryCount: 5 })
    expect(body.Entrypoint).toEqual(['/bin/sh', '/run/dcm/entry', 'ssh', 'on-failure:5'])
    expect(build({ restart: { name: 'unless-stopped' }, ssh: false }).Entrypoint).toEqual([
      '/bin/sh',
      '/run/dcm/entry',
      'plain',
      'unless-stopped',
    ])
    expect(() => build({ restart: { name: 'always' } as unknown as ContainerWish['restart'] })).toThrow(HostError)
    expect(() => build({ restart: { name: 'on-failure', max: -1 } })).toThrow(HostError)
  })

  test('A10: limits are always set, and never without end', () => {
    for (const memory of [0, -1, 1e18, Number.NaN, 1.5, Infinity])
      expect(() => build({ limits: { ...wish.limits, memory } })).toThrow(HostError)
    for (const cpus of [0, -1, 1e9, Number.NaN])
      expect(() => build({ limits: { ...wish.limits, cpus } })).toThrow(HostError)
    for (const pids of [0, -1, Number.NaN, 2.5])
      expect(() => build({ limits: { ...wish.limits, pids } })).toThrow(HostError)
  })

  test('A02, A17: sources, names and devices that are not plain are refused', () => {
    for (const storage of ['', 'relative/x', '/', '/x', '/a/../b', '/a//b', '/a/./b', '/a/b\nc', '/a/b/'])
      expect(() => build({ mounts: { ...wish.mounts, storage } })).toThrow(HostError)
    for (const name of ['', 'a b', 'a\nb', 'A', '-a', 'a'.repeat(300)]) expect(() => build({ name })).toThrow(HostError)
    for (const path of ['/dev/../etc/shadow', '/etc/passwd', '/dev/', '/dev', '/dev//x', '/dev/./x', '/dev/a b'])
      expect(() => build({ devices: [path] })).toThrow(HostError)
    for (const network of ['host', 'bridge', 'container:x', 'none', ''])
      expect(() => build({ network })).toThrow(HostError)
    for (const id of ['debian', 'sha256:abc', ''])
      expect(() => build({ imageId: id }, { engineId: id })).toThrow(HostError)
    expect(() => build({}, { engineId: `sha256:${'b'.repeat(64)}` })).toThrow(HostError)
    expect(build({ devices: ['/dev/dri/card0'] }).HostConfig.Devices).toEqual([
      { PathOnHost: '/dev/dri/card0', PathInContainer: '/dev/dri/card0', CgroupPermissions: 'rw' },
    ])
  })

  test('ports: one outside is given once', () => {
    const ports = (...hosts: number[]) => hosts.map((host) => ({ container: 80, proto: 'tcp' as const, host }))
    expect(build({ ports: ports(20_001, 20_002) }).HostConfig.PortBindings['80/tcp']).toHaveLength(2)
    for (const bad of [ports(20_001, 20_001), ports(0), ports(65_536), ports(1.5)])
      expect(() => build({ ports: bad })).toThrow(HostError)
  })

  test('B08: what an image puts into the environment yields to DCM and to the member', () => {
    const brought = {
      env: [
        'LD_PRELOAD=/x',
        'BASH_ENV=/y',
        'LD_LIBRARY_PATH=/lib/x',
        'DCM_SETENV=evil',
        'DCM=evil',
        'TINI_VERBOSITY=9',
        'LANG=C',
        'PATH=/opt/conda/bin:relative::/usr/bin',
      ],
    }
    const env = variables(build({ env: ['LD_LIBRARY_PATH=/mine', 'DCM_X=1', 'tini_x=1', 'A=b'] }, brought))
    expect(env).toMatchObject({
      LD_PRELOAD: '',
      BASH_ENV: '',
      LD_LIBRARY_PATH: '/mine',
      DCM: 'web',
      TINI_VERBOSITY: '',
      TINI_KILL_PROCESS_GROUP: '1',
      A: 'b',
    })
    expect(env).not.toHaveProperty('DCM_X')
    expect(env.PATH).toBe('/opt/conda/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin')
    expect(env.DCM_SETENV).toBe('SetEnv "LD_LIBRARY_PATH=/mine" "LANG=C" "A=b"')
    expect(variables(build({}, { env: ['PATH='] })).PATH).toBe(
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    )
    for (const entry of ['', 'A', '=b', 'A B=c', 'A=b\0c', '1A=b'])
      expect(() => build({ env: [entry] })).toThrow(HostError)
  })

  test('B06: a volume of the image is covered with memory of limited size, or the image is refused', () => {
    const mounts = build({}, { volumes: ['/data', '/var/lib/x/', '/data'] }).HostConfig.Mounts.slice(2)
    expect(mounts).toEqual([
      { Type: 'tmpfs', Target: '/data', TmpfsOptions: { SizeBytes: 2 ** 26, Mode: 0o755 } },
      { Type: 'tmpfs', Target: '/var/lib/x', TmpfsOptions: { SizeBytes: 2 ** 26, Mode: 0o755 } },
    ])
    for (const path of [
      '/',
      '/etc',
      '/etc/ssh',
      '/run/dcm',
      '/root/.ssh',
      '/storage',
      '/usr/bin',
      '/proc',
      '/a/../etc',
      'data',
      '/a\nb',
      '/var/run',
    ])
      expect(() => build({}, { volumes: [path] })).toThrow(HostError)
    // Not in this life, where the pattern is tried at each slash.
    expect(() => build({}, { volumes: [`${'/'.repeat(5_000_000)}x`] })).toThrow(HostError)
    expect(() => build({}, { volumes: Array.from({ length: 17 }, (_, at) => `/d${at}`) })).toThrow(HostError)
  })

  test('whatever the wish, the body has exactly the known keys and keeps its constants, or there is none', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('host', 'ALL', '/', '/etc', '../x', '__proto__', 'dcm-i1-x', 'web', '/dev/kvm'),
    )
    const texts = fc.array(text, { maxLength: 4 })
    const numbers = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -1, 2 ** 28, 500, 80))
    // Mostly as it should be, so that bodies come out of it with one or two fields that somebody tried something in.
    const mostly = <T>(good: T, bad: fc.Arbitrary<unknown>): fc.Arbitrary<T> =>
      fc.oneof({ weight: 12, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: bad as fc.Arbitrary<T> })
    const wishes = fc.record({
      engineName: mostly(wish.engineName, text),
      id: mostly(wish.id, text),
      ownerId: mostly(wish.ownerId, text),
      name: mostly(wish.name, text),
      network: mostly(wish.network, text),
      env: fc.array(
        text.map((word) => `A=${word.replaceAll('\0', '')}`),
        { maxLength: 4 },
      ),
      command: texts,
      restart: mostly(
        wish.restart,
        fc.oneof(fc.constant({ name: 'unless-stopped' }), fc.record({ name: text, max: numbers })),
      ),
      limits: mostly(wish.limits, fc.record({ memory: numbers, cpus: numbers, pids: numbers })),
      caps: fc.oneof({ weight: 5, arbitrary: fc.subarray([...grantableCaps]) }, { weight: 1, arbitrary: texts }),
      devices: mostly(['/dev/kvm'], texts),
      seccomp: mostly(null, fc.oneof(text, fc.json())),
      ports: mostly(
        wish.ports,
        fc.array(fc.record({ container: numbers, proto: fc.constantFrom('tcp', 'udp', 'sctp'), host: numbers }), {
          maxLength: 3,
        }),
      ),
      mounts: mostly(wish.mounts, fc.record({ run: text, storage: text })),
      ssh: fc.boolean(),
      Privileged: fc.boolean(),
      HostConfig: fc.object(),
    })
    const images = fc.record(
      {
        env: texts,
        volumes: mostly(['/data'], texts),
        labels: fc.dictionary(text, text),
        entrypoint: texts,
        command: texts,
      },
      { requiredKeys: [] },
    )
    let built = 0
    fc.assert(
      fc.property(wishes, images, (more, brought) => {
        let body
        try {
          body = build(more as Partial<ContainerWish>, brought as Partial<SeenImage>)
        } catch (error) {
          expect(error).toBeInstanceOf(HostError)
          return
        }
        built++
        expect(Object.keys(body).sort()).toEqual(bodyKeys)
        expect(Object.keys(body.HostConfig).sort()).toEqual(hostKeys)
        expect(body).toMatchObject({
          User: '0:0',
          Image: imageId,
          Healthcheck: { Test: ['NONE'] },
          StopSignal: 'SIGTERM',
        })
        expect(body.HostConfig).toMatchObject({
          CapDrop: ['ALL'],
          CgroupnsMode: 'private',
          IpcMode: 'private',
          Init: true,
        })
        expect(body.HostConfig.SecurityOpt[0]).toBe('no-new-privileges')
        expect(body.HostConfig.NetworkMode).toMatch(/^dcm-/)
        expect(body.HostConfig.MemorySwap).toBe(body.HostConfig.Memory)
        for (const cap of body.HostConfig.CapAdd) expect([...baseCaps, ...grantableCaps]).toContain(cap)
        for (const mount of body.HostConfig.Mounts) expect(['bind', 'tmpfs']).toContain(mount.Type)
      }),
      { numRuns: 2000 },
    )
    expect(built).toBeGreaterThan(100)
  })
})

test('SetEnv: what cannot be written in one line stays away, and quotes do not end the word', () => {
  expect(setEnv(['A=b c', 'B=say "hi" \\o/', 'C=two\nlines', 'D=\u0001'])).toBe(
    'SetEnv "A=b c" "B=say \\"hi\\" \\\\o/"',
  )
  expect(setEnv([])).toBe('')
})
