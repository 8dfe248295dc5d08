import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fill } from '../../../src/core/compose/fill.ts'
import { readComposition } from '../../../src/core/compose/read.ts'
import { fileKeys, type Rule, serviceKeys } from '../../../src/core/compose/subset.ts'

const read = (text: string, values: Record<string, string> = {}) =>
  readComposition(text, new Map(Object.entries(values)))
const service = (text: string) => read(`services:\n  web:\n    image: debian\n    ${text.replaceAll('\n', '\n    ')}\n`)
const told = ({ problems }: ReturnType<typeof read>) =>
  problems.map(({ line, column, key, why }) => `${line}:${column} ${key}: ${why}`)

describe('variables', () => {
  const values = new Map([
    ['A', 'one'],
    ['EMPTY', ''],
  ])
  test.each([
    ['$A ${A} $$A', 'one one $A'],
    ['${B:-two} ${B-two} ${EMPTY:-two} ${EMPTY-two}', 'two two two '],
    ['${B:-${A}-x}', 'one-x'],
    ['${A:+yes}${B:+no}', 'yes'],
    ['${A:?must}', 'one'],
    ['a$$', 'a$'],
  ])('%s', (text, filled) => expect(fill(text, values)).toEqual({ text: filled }))
  test.each([
    '$B',
    '${B}',
    '${EMPTY:?must}',
    '${',
    '${A',
    '$1',
    '${A!x}',
    '${B:-$C}',
    `${'${B:-'.repeat(20)}x${'}'.repeat(20)}`,
  ])('%s is refused', (text) => expect(fill(text, values)).toHaveProperty('why'))
})

describe('I03 YAML that is meant to harm', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g'].map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdef'[at]}`).join(',')}]`).join('\n')}\nservices: *g\n`
  const merges = `x: &a {k1: v}\n${Array.from({ length: 5 }, (_, at) => `x${at}: &a${at} {${Array.from({ length: 40 }, () => `<<: *a${at === 0 ? '' : at - 1}`).join(', ')}}`).join('\n')}\nservices: {}`
  test.each([
    ['aliases of aliases', bomb],
    ['merges of merges', merges],
    ['deep nesting', `services: ${'['.repeat(20_000)}`],
    ['deep maps', Array.from({ length: 60 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
    ['an alias of itself', 'services: &a\n  web: *a\n'],
    ['two documents', 'services: {}\n---\nservices: {}\n'],
    ['a tag', 'services: !!js/function "x"\n'],
    ['a key twice', 'services:\n  a: {image: x}\n  a: {image: y}\n'],
    ['nothing', ''],
    ['no map', '- a\n'],
    ['NUL', 'services: {web: {image: "a\\0b"}}'],
    ['a tab', 'services:\n\tweb: {}'],
  ])('%s is refused with its place', (_, text) => {
    const { problems, composition } = read(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems[0]).toMatchObject({ line: expect.any(Number) as number, column: expect.any(Number) as number })
    expect(composition.services.filter((one) => one.image && !one.image.ref.includes('\0'))).toHaveLength(
      _ === 'a key twice' ? composition.services.length : 0,
    )
  })
})

// What takes time by the square of its length does not end within a test: a document may be far smaller than these.
describe('S2 what is long is read or refused at once', () => {
  test.each([
    [
      'keys',
      `services: {}\n${Array.from({ length: 60_000 }, (_, at) => `k${at}:\n`).join('')}`,
      /more than 10000 values/,
    ],
    ['aliases', `services: {}\nx: &a 1\ny:\n${'  - *a\n'.repeat(60_000)}`, /more than 100 aliases/],
    ['indicators out of place', `services: {}${']'.repeat(400_000)}`, /more than 10000 values/],
    ['a port', `services: {web: {image: debian, ports: ["${'.'.repeat(65_000)}"]}}`, /Give one port/],
  ])('%s', (_, text, why) => expect(read(text).problems).toMatchObject([{ why: expect.stringMatching(why) }]))
})

test('an alias stands for the last anchor of its name before it, also where it is followed', () => {
  const { composition, problems } = read(`
x-a: &a {environment: {WHO: one}}
x-b: &b {<<: *a, image: debian}
x-c: &a {environment: {WHO: two}}
services:
  one: *b
  two: {<<: *a, image: debian}
`)
  expect(problems).toEqual([])
  expect(composition.services.map(({ env }) => env.get('WHO'))).toEqual(['one', 'two'])
})

test('a key that is there twice is told where it is the second time', () => {
  expect(told(read('services:\n  a: {image: x}\n  a: {image: y}\n'))).toEqual(['3:3 a: It is there twice.'])
})

test('all that is wrong is told at once, each with line and column', () => {
  expect(
    told(
      service(
        'privileged: true\nprivilged: true\npid: host\nports: ["127.0.0.1:80:80", 70000, "1-5:1-5"]\nvolumes:\n  - /var/run/docker.sock:/x\n  - ../..:/y\n  - data:/etc\nmem_limit: lots\ndepends_on: [db]\nuserns_mode: ""',
      ),
    ),
  ).toEqual([
    '4:5 services.web.privileged: No container has the host: ask an admin for the capability or device that it needs.',
    '5:5 services.web.privilged: There is no such key; did you mean privileged?',
    '6:5 services.web.pid: No container sees the processes of another or of the host.',
    '7:13 services.web.ports.0: A port at one address alone is not had: leave it out, as your other containers reach it anyway.',
    expect.stringMatching(/^7:32 services\.web\.ports\.1: /) as string,
    '7:39 services.web.ports.2: Give one port, like 80, 8080:80 or 53/udp; a range is written out.',
    '9:9 services.web.volumes.0: Docker itself is given to no container: whoever has it has the host.',
    '10:9 services.web.volumes.1: A folder of the host is not had: use a volume that is named under volumes, and copy files in with cp.',
    "11:9 services.web.volumes.2: Nothing can be mounted there: the path is absolute and plain, and neither the system's nor DCM's own.",
    '12:16 services.web.mem_limit: Give a size like 512m.',
    '13:18 services.web.depends_on: There is no service db.',
    "14:5 services.web.userns_mode: The user namespace is the site's to choose.",
  ])
})

test('every form of a bind is refused', () => {
  for (const volume of [
    '/:/host',
    './x:/x',
    '~/x:/x',
    '../x:/x',
    'C:\\x:/x',
    'a/b:/x',
    '${HOME}:/x',
    '{type: bind, source: /, target: /x}',
    '{type: tmpfs, target: /x}',
    '{type: volume, source: /etc, target: /x}',
    '/anonymous',
    'x:/x:rw:y',
    '""',
  ])
    expect(
      service(`volumes: [${volume.startsWith('{') ? volume : JSON.stringify(volume)}]`).problems.length,
      volume,
    ).toBeGreaterThan(0)
})

test('every key that is refused is so, by its own words, and asks for nothing when it is off', () => {
  for (const [key, { does, about }] of Object.entries(serviceKeys)) {
    if (does !== 'refused') continue
    expect(told(service(`${key}: [x]`)), key).toEqual([`4:5 services.web.${key}: ${about}`])
    expect(told(service(`${key}: false`)), key).toEqual([])
  }
})

test('what runs is read as it was written', () => {
  const { composition, problems } = read(
    `services:
  web:
    image: docker.io/library/python:3
    command: sh -c "echo 'a b'"
    entrypoint: [tini, --]
    environment: [A=1.0, B, "C=x=y"]
    ports: [80, "8080:81", "53/udp", {target: 90, published: 9090, protocol: tcp}]
    volumes: [data:/srv/data:ro, {type: volume, source: data, target: /other, read_only: true}]
    deploy: {resources: {limits: {cpus: 0.25, memory: 256MB, pids: 50}}, replicas: 1}
    healthcheck: {test: curl -f localhost, interval: 1m30s, timeout: 500ms, retries: 2, start_period: 5s}
    restart: on-failure:3
    cap_add: [net_raw]
    container_name: web
volumes: {data: }
`,
    { B: 'two' },
  )
  expect(problems).toEqual([])
  expect(composition.services[0]).toMatchObject({
    image: { ref: 'python:3' },
    command: ['sh', '-c', "echo 'a b'"],
    entrypoint: ['tini', '--'],
    env: new Map([
      ['A', '1.0'],
      ['B', 'two'],
      ['C', 'x=y'],
    ]),
    ports: [80, 81, 53, 90].map((container) => ({ wish: { container } })),
    volumes: [
      { name: 'data', path: '/srv/data', readOnly: true },
      { name: 'data', path: '/other', readOnly: true },
    ],
    limits: { cpus: 250, memory: 256 * 2 ** 20, pids: 50 },
    health: { argv: ['/bin/sh', '-c', 'curl -f localhost'], interval: 90_000, timeout: 500, retries: 2, start: 5000 },
    restart: { policy: { name: 'on-failure', max: 3 } },
    caps: [{ cap: 'NET_RAW' }],
  })
})

test('services come after those that they wait for; a circle is none', () => {
  const three = (more: string) =>
    read(`services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x${more}}\n`)
  expect(three('').composition.services.map((one) => one.service)).toEqual(['c', 'b', 'a'])
  expect(told(three(', depends_on: [a]'))).toEqual([
    expect.stringMatching(/wait for each other in a circle\.$/) as string,
  ])
  expect(
    told(read('services:\n  a: {image: x, depends_on: {b: {condition: service_healthy}}}\n  b: {image: x}\n')),
  ).toEqual(['2:30 services.a.depends_on: b has no healthcheck, so it is never healthy.'])
})

describe('networks', () => {
  const on = (networks: string, declared = 'front: , back: ') =>
    read(`services: {web: {image: debian, networks: ${networks}}}\nnetworks: {${declared}}\n`)

  test('are read in both forms, with their aliases; none named is none said', () => {
    const { composition, problems } = on('{back: {aliases: [db, store]}, front: , default: {}}')
    expect(problems).toEqual([])
    expect(composition.services[0]!.networks).toMatchObject([
      { name: 'back', aliases: ['db', 'store'] },
      { name: 'front', aliases: [] },
      { name: 'default', aliases: [] },
    ])
    expect(on('[back]').composition.services[0]!.networks).toMatchObject([{ name: 'back' }])
    for (const none of ['', '[]', '{}']) expect(on(none).composition.services[0]!.networks, none).toBeUndefined()
    expect(on('[back]', 'back: {external: true, name: other}, default: {external: true}').composition.networks).toEqual(
      new Map([
        ['back', { external: 'other', at: { line: 2, column: 12 } }],
        ['default', { external: 'default', at: { line: 2, column: 49 } }],
      ]),
    )
  })

  test.each([
    ['[other]', '', /^1:\d+ services\.web\.networks: The network other is not declared under networks\.$/],
    [
      '{front: {ipv4_address: 10.0.0.2}}',
      'front: ',
      /^1:\d+ services\.web\.networks\.front\.ipv4_address: Addresses are DCM's/,
    ],
    ['{front: {aliases: [UP_er]}}', 'front: ', /^1:\d+ services\.web\.networks\.front\.aliases: An alias /],
    [
      `{front: {aliases: [${Array.from({ length: 17 }, (_, at) => `a${at}`).join(', ')}]}}`,
      'front: ',
      /16 aliases at most/,
    ],
    ['{front: 1}', 'front: ', /A network is a map/],
    ['[front]', 'front: {driver: overlay}', /^2:\d+ networks\.front\.driver: A network here is a bridge/],
    ['[front]', 'front: {ipam: {config: []}}', /^2:\d+ networks\.front\.ipam: It has no options here/],
    ['[front]', 'front: {driver_opts: {a: b}}', /It has no options here/],
    ['[front]', 'front: {internal: true}', /none is cut off from it\.$/],
    ['[front]', 'front: {name: mine}', /^2:\d+ networks\.front\.name: A network of the project is called PROJECT-NAME/],
  ])('%s of %s is refused', (networks, declared, why) =>
    expect(told(on(networks, declared))).toEqual([expect.stringMatching(why)]),
  )

  test('what has no effect is named', () => {
    const { notes, problems } = on(
      '{front: {priority: 1, x-mine: 2}}',
      'front: {labels: {a: b}, attachable: true, internal: false, enable_ipv6: true, x-mine: 1}, spare: , default: {driver: bridge}',
    )
    expect(problems).toEqual([])
    expect(notes.map((note) => note.key)).toEqual([
      'services.web.networks.front.priority',
      'networks.front.labels',
      'networks.front.attachable',
      'networks.spare',
      'networks.default',
    ])
  })
})

describe('secrets', () => {
  const taking = (taken: string, declared = 'key: {environment: KEY}') =>
    read(`services: {web: {image: debian, secrets: ${taken}}}\nsecrets: {${declared}}\n`, { KEY: 'word' })

  test('have the value that came with the call, and the name that the service gives them', () => {
    const { composition, problems, notes } = taking(
      '[key, {source: key, target: other.pem}, {source: there, target: /run/secrets/there, mode: 0400}]',
      'key: {environment: KEY}, there: {external: true, name: there}',
    )
    expect(problems).toEqual([])
    expect(notes.map((note) => note.key)).toEqual(['services.web.secrets.2.mode'])
    expect(composition.services[0]!.secrets.map(({ name, file }) => `${name} ${file}`)).toEqual([
      'key key',
      'key other.pem',
      'there there',
    ])
    expect(composition.secrets).toEqual(
      new Map([
        ['key', { value: 'word', external: false }],
        ['there', { value: null, external: true }],
      ]),
    )
  })

  test.each([
    ['[other]', undefined, /^1:\d+ services\.web\.secrets: The secret other is not declared under secrets\.$/],
    [
      '[key]',
      'key: {file: ./key.txt}',
      /^2:\d+ secrets\.key\.file: .* write environment: KEY here, and give the value with -e KEY=VALUE\.$/,
    ],
    ['[key]', 'key: {environment: OTHER}', /^2:\d+ secrets\.key\.environment: The variable OTHER has no value/],
    ['[key]', 'key: ', /^2:\d+ secrets\.key: It needs environment/],
    ['[key]', 'key: {external: false}', /^2:\d+ secrets\.key: It needs environment/],
    ['[key]', 'key: {external: true, name: other}', /^2:\d+ secrets\.key\.name: Leave it out/],
    ['[key]', 'key: {environment: KEY, driver: x}', /^2:\d+ secrets\.key\.driver: A secret has environment/],
    ['[{source: key, target: ../../etc/shadow}]', undefined, /^1:\d+ services\.web\.secrets\.0: A secret is a file in/],
    ['[{source: key, target: /etc/shadow}]', undefined, /A secret is a file in/],
    ['[{target: key}]', undefined, /^1:\d+ services\.web\.secrets\.0: It needs source\.$/],
    ['[{source: key, driver: x}]', undefined, /There is no such key\.$/],
    ['{key: }', undefined, /are a list\.$/],
    [`[${Array.from({ length: 65 }, () => 'key').join(', ')}]`, undefined, /64 secrets at most/],
  ])('%s of %s is refused', (taken, declared, why) =>
    expect(told(taking(taken, declared))).toEqual([expect.stringMatching(why)]),
  )
})

test('docs/compose.md has every key, with what the code says of it', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/compose.md'), 'utf8')
  const rows = (keys: Record<string, Rule>) =>
    Object.entries(keys).map(([key, { does, about }]) => `| \`${key}\` | ${does} | ${about} |`)
  for (const row of [...rows(fileKeys), ...rows(serviceKeys)]) expect(docs).toContain(row)
})
