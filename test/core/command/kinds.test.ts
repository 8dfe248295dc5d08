import { describe, expect, test } from 'vitest'
import { type KindName, kinds } from '../../../src/core/command/kinds.ts'
import type { Lookup } from '../../../src/core/command/lookup.ts'
import { DcmError } from '../../../src/core/reply/error.ts'

const now = new Date('2026-03-01T12:00:00Z')
const nobody = async (): Promise<never> => {
  throw new DcmError('not_found', 'There is nothing of that name.')
}
const lookup: Lookup = {
  container: nobody,
  containerNames: async () => ['web'],
  image: nobody,
  imageRefs: async () => ['debian'],
  person: nobody,
  personNames: async () => ['alice'],
  group: nobody,
  groupNames: async () => ['lab'],
  volume: async (name) => {
    if (name !== 'data') return nobody()
    return { id: 'v1', ownerId: 'p1', hostId: 'local', name, createdAt: now }
  },
  volumeNames: async () => ['data'],
  network: nobody,
  networkNames: async () => ['back'],
  commandNames: () => ['ps'],
  now: () => now,
}

/** What a kind makes of a text: its value, or `refused`, be it by silence or with words. */
async function read(kind: KindName, text: string): Promise<unknown> {
  try {
    return (await kinds[kind].read(text, lookup)) ?? 'refused'
  } catch (error) {
    expect(error).toBeInstanceOf(DcmError)
    return 'refused'
  }
}

const table: Partial<Record<KindName, { good: [string, unknown][]; bad: string[] }>> = {
  mount: {
    good: [
      ['data:/srv', { id: 'v1', name: 'data', path: '/srv', readOnly: false }],
      ['data:/var/lib/postgresql:ro', { id: 'v1', name: 'data', path: '/var/lib/postgresql', readOnly: true }],
      ['data:/srv:rw', { id: 'v1', name: 'data', path: '/srv', readOnly: false }],
    ],
    bad: [
      ...['', 'data', 'data:', 'data:srv', 'data:/', 'data://srv', 'data:/srv/', 'data:/srv/../etc', 'data:/./srv'],
      ...[
        'other:/srv',
        '/etc:/srv',
        './etc:/srv',
        '../x:/srv',
        '/var/run/docker.sock:/srv',
        'data:/srv:z',
        'data:/srv:ro:x',
      ],
      ...[
        '/storage',
        '/storage/x',
        '/run',
        '/run/dcm',
        '/run/secrets',
        '/etc',
        '/proc/1',
        '/sys',
        '/dev/shm',
        '/usr/bin',
      ],
    ].map((text) => (text.startsWith('/') && !text.includes(':') ? `data:${text}` : text)),
  },
  name: { good: [['data', 'data']], bad: ['', 'Data', '../b', 'a/b', 'a-', 'x'.repeat(41)] },
  'container-name': {
    good: [
      ['web', 'web'],
      ['a-1', 'a-1'],
    ],
    bad: ['', 'Web', '-a', 'a-', 'a_b', '../b', 'a b', 'a\0b', 'abcdefabcdef', 'x'.repeat(41)],
  },
  'person-name': {
    good: [
      ['alice', 'alice'],
      ['a1', 'a1'],
    ],
    bad: ['', 'a', 'Bob', '../bob', '.', 'a/b', 'a\0b', 'bob ', '-x', 'root', 'me', 'a'.repeat(300)],
  },
  'group-name': { good: [['chemists', 'chemists']], bad: ['', 'a', 'Chemists', 'a/b', 'all', '-x'] },
  cron: { good: [['0 20 * * 1-5', '0 20 * * 1-5']], bad: ['0 20 * * *\n', '0'.repeat(201)] },
  'image-ref': {
    good: [
      ['web', 'web:latest'],
      ['web:v1', 'web:v1'],
      ['my.app-2:V1_x', 'my.app-2:V1_x'],
    ],
    bad: [
      '',
      'Web',
      'a/b',
      'docker.io/library/debian',
      'localhost:5000/x',
      'x@sha256:00',
      'deadbeef',
      'abc1',
      'web:',
      'web:-x',
      'a..b',
      `${'x'.repeat(61)}`,
    ],
  },
  count: {
    good: [
      ['0', 0],
      ['1000000', 1_000_000],
    ],
    bad: ['', '-1', '1.5', '1e3', '0x1', '1000001', '\uff11', ' 1', 'NaN'],
  },
  size: {
    good: [
      ['512m', 512 * 1024 ** 2],
      ['1g', 1024 ** 3],
      ['1.5g', 1.5 * 1024 ** 3],
      ['10', 10],
      ['1GB', 1024 ** 3],
      ['0', 0],
    ],
    bad: ['', '-1', '512m ', '0x10', '1e3', 'NaN', '1e18', 'g', '1x', '9'.repeat(15) + 't', '\uff15m', 'Infinity'],
  },
  cpus: {
    good: [
      ['0.5', 500],
      ['2', 2000],
      ['1.234', 1234],
    ],
    bad: ['', '-1', '1e9', '1.2345', '.5', '99999', '0x1'],
  },
  duration: {
    good: [
      ['30m', 1_800_000],
      ['1h30m', 5_400_000],
      ['7d', 604_800_000],
    ],
    bad: ['', '0s', '-1d', '5', '1y', '1.5h', '1h ', '999999w'],
  },
  when: {
    good: [
      ['10m', new Date('2026-03-01T11:50:00Z')],
      ['2026-01-31', new Date('2026-01-31T00:00:00Z')],
      ['2026-01-31T10:00:00Z', new Date('2026-01-31T10:00:00Z')],
    ],
    bad: ['', 'yesterday', '2026-13-45', '1', '31.1.2026', '2026-01-31 10:00'],
  },
  flag: { good: [['true', true]], bad: ['yes', '1', '', 'TRUE'] },
  port: {
    good: [
      ['80', { container: 80, proto: 'tcp' }],
      ['53/udp', { container: 53, proto: 'udp' }],
      ['443:8443', { container: 8443, host: 443, proto: 'tcp' }],
    ],
    bad: [
      '',
      '0',
      '65536',
      '-1',
      '080',
      '8080-8090',
      '\uff18\uff10',
      '80/sctp',
      '0:80',
      '65536:80',
      '127.0.0.1:80:80',
      '80/',
      ':80',
      '8 0',
    ],
  },
  env: {
    good: [
      ['A=b', 'A=b'],
      ['_A1=', '_A1='],
      ['A=b=c\nd', 'A=b=c\nd'],
    ],
    bad: ['', 'A', '=b', '1A=b', 'A-B=c', 'A=\0', 'DCM_X=1', 'dcm=1', 'A=\ud800', `A=${'x'.repeat(9000)}`],
  },
  cap: {
    good: [
      ['SYS_PTRACE', 'SYS_PTRACE'],
      ['cap_sys_ptrace', 'SYS_PTRACE'],
      ['CAP_Net_Admin', 'NET_ADMIN'],
    ],
    bad: ['', 'ALL', 'SYS_ADMIN', 'CAP_SYS_MODULE', 'BPF', 'SYS PTRACE', 'DAC_READ_SEARCH'],
  },
  restart: {
    good: [
      ['no', { name: 'no' }],
      ['on-failure', { name: 'on-failure', max: 3 }],
      ['on-failure:5', { name: 'on-failure', max: 5 }],
      ['unless-stopped', { name: 'unless-stopped' }],
    ],
    bad: ['', 'always', 'on-failure:0', 'on-failure:-1', 'on-failure:100', 'on-failure:', 'No'],
  },
  grant: {
    good: [
      ['restart-policy', { kind: 'restart-policy' }],
      ['port:443', { kind: 'port', port: 443 }],
      ['image:lab', { kind: 'image', ref: 'lab:latest' }],
      ['quota:memory=8g', { kind: 'quota', resource: 'memory', amount: 8 * 1024 ** 3 }],
    ],
    bad: [
      '',
      'privileged',
      'cap:ALL',
      'cap:SYS_ADMIN',
      'port:0',
      'port:65536',
      'port:080',
      'restart:no',
      'restart:always',
      'quota:memory=-1',
      'quota:toString=1',
      'quota:memory=1g=2',
      'device:/dev/sda',
      'seccomp:{}',
      'image:a/b',
      'mount:/',
    ],
  },
  amount: {
    good: [
      ['memory=8g', { resource: 'memory', amount: 8 * 1024 ** 3 }],
      ['cpus=1.5', { resource: 'cpus', amount: 1500 }],
      ['ports=0', { resource: 'ports', amount: 0 }],
    ],
    bad: [
      '',
      'memory',
      'memory=',
      'memory=x',
      'gpus=1',
      '__proto__=1',
      'containers=-1',
      'containers=1e3',
      'memory=1g=1g',
    ],
  },
  id: { good: [['SHA256:ab+/=', 'SHA256:ab+/=']], bad: ['', 'a b', '../x', 'x?force=1&v=1', 'a\n', 'x'.repeat(81)] },
  text: {
    good: [
      ['a note', 'a note'],
      ['', ''],
    ],
    bad: ['a\nb', 'a\u2028b', 'a\0b', '\u001b[2J', 'x'.repeat(201), '\ud800'],
  },
  line: { good: [['a\nb', 'a\nb']], bad: ['a\0b', 'x'.repeat(16_385), '\udfff'] },
  document: { good: [['{\n}', '{\n}']], bad: ['a\0b', 'x'.repeat(60_001), '\ud800'] },
  argv: {
    good: [
      ['--x', '--x'],
      ['', ''],
    ],
    bad: ['a\0b', 'x'.repeat(4097), '\ud800'],
  },
  command: { good: [['key add', 'key add']], bad: ['a\nb', 'x'.repeat(61)] },
  container: { good: [], bad: ['web', '', '../x'] },
  person: { good: [], bad: ['alice', ''] },
}

describe.each(Object.entries(table) as [KindName, { good: [string, unknown][]; bad: string[] }][])(
  '%s',
  (kind, { good, bad }) => {
    test.each(good)('takes %j', async (text, value) => {
      expect(await read(kind, text)).toEqual(value)
    })
    test.each(bad)('refuses %j', async (text) => {
      expect(await read(kind, text)).toBe('refused')
    })
  },
)

test('every kind says what it takes, to people and to machines', () => {
  for (const [name, kind] of Object.entries(kinds)) {
    expect(kind.hint.length, name).toBeGreaterThan(3)
    expect(['string', 'integer', 'boolean'], name).toContain(kind.schema['type'])
  }
})

test('what a kind offers to complete with, it takes', async () => {
  for (const name of ['cap', 'restart'] as const)
    for (const offered of (await kinds[name].complete?.(lookup)) ?? [])
      expect(await read(name, offered), offered).not.toBe('refused')
})
