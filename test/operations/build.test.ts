import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ExecWish } from '../../src/core/host/engine.ts'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
const ran: ExecWish[] = []
let ends = (_: ExecWish) => 0
const build = (who: Person, dockerfile: string, more: Record<string, unknown> = {}) =>
  world.say(who, { name: 'build', args: { image: 'made:v1', dockerfile, ...more } })
const refs = async (who: Person) => (await world.store.images.of(who.id)).map((image) => image.ref)
const left = async () => [
  (await world.host.engine.list()).length,
  (await world.host.engine.imageTags()).length,
  (await world.store.people.usage(alice!.id))!.running,
]

beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  world.host.fake.programs(async function* (wish) {
    ran.push(wish)
    yield { stream: 'stdout', data: Buffer.from('working\n') }
    return ends(wish)
  })
})
afterAll(() => world[Symbol.asyncDispose]())

test('a recipe is carried out line by line in a container of the member\u2019s, which is gone afterwards', async () => {
  const before = await left()
  ran.length = 0
  const built = await build(
    alice!,
    `FROM debian
ARG VERSION=1
ARG UNSET
ENV NAME=value GREETING="hello $VERSION"
WORKDIR /srv
WORKDIR app
COPY . .
USER nobody
RUN echo $NAME
CMD ["serve", "all of it"]`,
    { context: '/storage/app/', 'build-arg': ['VERSION=2'] },
  )
  expect(built).toMatchObject({
    tone: 'ok',
    data: { image: 'made:v1', output: expect.stringContaining('4/4: RUN echo') },
  })
  expect(ran.map(({ argv, user }) => [argv.slice(4), user])).toMatchObject([
    [[], '0'],
    [[], '0'],
    [['/storage/app', '/storage/app', '/srv/app/', '', '.'], '0'],
    [['/srv/app', '/bin/sh', '-c', 'echo $NAME'], 'nobody'],
  ])
  expect(ran[3]!.env.slice(1)).toEqual(['VERSION=2', 'NAME=value', 'GREETING=hello 2'])
  expect(await refs(alice!)).toEqual(['made:v1'])
  expect((await left())[0]).toBe(before[0])
  const wish = world.host.fake.calls.findLast((call) => call.method === 'engine.commit')!.args[1]
  expect(wish).toMatchObject({
    config: {
      entrypoint: [],
      command: ['serve', 'all of it'],
      env: ['NAME=value', 'GREETING=hello 2'],
      user: 'nobody',
      folder: '/srv/app',
    },
  })
  // What an image was made to run never runs by itself: whoever makes it, looks at it or creates from it is told how.
  const says = (line: string) =>
    `What made:v1 was made to run does not run by itself: ${line} -- serve 'all of it' does that.`
  expect(built.text).toContain(says('create made --image made:v1'))
  const shown = await world.say(alice!, 'image show made:v1')
  expect(shown.text).toContain(says('create made --image made:v1'))
  expect((await world.say(alice!, 'create app --image made:v1')).text).toContain(says('recreate app'))
  expect((await world.say(alice!, "recreate app --yes -- serve 'all of it'")).error).toBeUndefined()
  expect((await world.container(alice!, 'app')).spec.command).toEqual(['serve', 'all of it'])
  expect((await world.say(alice!, 'create told --image made:v1 -- serve x')).text).not.toContain('by itself')
  const file = 'name: shop\nservices: { web: { image: "made:v1" } }'
  const notes = (await world.say(alice!, { name: 'compose check', args: { file } })).data as {
    notes: { why: string }[]
  }
  expect(notes.notes.map((one) => one.why).join()).toContain('"command: ["serve","all of it"]"')
  for (const name of ['app', 'told']) await world.say(alice!, `rm -f ${name}`)
  await world.say(alice!, 'rmi -f made:v1')
})

test('B02 FROM is an image that its member may use, by no other name and through no variable', async () => {
  await world.say(bob!, 'create vault --image debian')
  await world.say(bob!, 'commit vault vault:v1')
  world.host.fake.addImage('secret:1')
  await world.say(world.admin, 'image offer secret:1 --name hidden --restricted')
  const theirs = (await world.store.images.of(bob!.id))[0]!
  for (const from of ['vault:v1', 'hidden', 'nobody:v1', 'secret:1', 'debian:bookworm']) {
    const reply = await build(alice!, `FROM ${from}`)
    expect(reply.error, from).toBe('not_found')
    expect(reply.text.replace(from.includes(':') ? from : `${from}:latest`, '<it>')).toBe(
      'You have no image called <it>.',
    )
    expect((await build(alice!, 'ARG BASE\nFROM ${BASE}', { 'build-arg': [`BASE=${from}`] })).error, from).toBe(
      'not_found',
    )
  }
  for (const from of [theirs.engineId, theirs.engineRef, 'bob/vault:v1', 'docker.io/library/debian', '../debian'])
    expect((await build(alice!, `FROM ${from}`)).error, from).toBe('usage')
  expect(await refs(alice!)).toEqual([])
})

test.each(['ENV', 'LABEL', 'ARG'])(
  'a value that doubles with each line is refused before anything is stored: %s',
  async (verb) => {
    const doubling = `FROM debian\nENV A=xx\n${'ENV A=$A$A\n'.repeat(13)}`
    const grown = [
      `${doubling}${'ENV A=$A$A\n'.repeat(13)}${verb} B=$A`,
      `${doubling}${Array.from({ length: 100 }, (_, n) => `${verb} B${n}=${n}$A`).join('\n')}`,
      `${'ARG A=xx\n'}${'ARG A=$A$A\n'.repeat(26)}FROM debian`,
    ]
    const { operations } = world.store
    for (const dockerfile of grown) {
      const [reply, begun] = [await build(alice!, dockerfile), await operations.recent(alice!.id, 1)]
      expect(reply).toMatchObject({ error: 'usage', text: expect.stringMatching(/^Line \d+: .* over 256 KB\.$/) })
      expect(begun.filter((row) => row.kind === 'build' && row.status !== 'done')).toEqual([])
    }
    const fits = await build(alice!, `FROM debian\nENV A=xx\n${'ENV A=$A$A\n'.repeat(10)}${verb} B=$A`)
    expect(fits.error, fits.text).toBeUndefined()
    await world.say(alice!, 'rmi -f made:v1')
  },
)

test('stages come one after the other, each from its own image, and the last alone is kept', async () => {
  await world.say(alice!, 'create web --image debian')
  await world.say(alice!, 'commit web base:v1')
  const before = await left()
  ran.length = 0
  const built = await build(
    alice!,
    `ARG BASE=debian
FROM $BASE AS make
RUN make
FROM base:v1
COPY --from=make /out/app /out/*.so /srv/
COPY --from=0 --chown=app /etc/x /etc/x
CMD ["/srv/app"]`,
  )
  expect(built.error, built.text).toBeUndefined()
  // A folder of the build's own, which is gone with it.
  const at = '/run/dcm/volumes/0'
  expect(world.host.fake.volumes()).toEqual([])
  expect(ran.map(({ argv }) => argv.slice(argv[0] === '/bin/sh' ? 4 : 0))).toEqual([
    ['/', '/bin/sh', '-c', 'make'],
    [`${at}/1`, '/out/app', '/out/*.so'],
    [`${at}/2`, '/etc/x'],
    [`${at}/1`, 'that stage', '/srv/', '', '0/app', '1/*'],
    [`${at}/2`, 'that stage', '/etc/x', 'app', '0/x'],
    ['/bin/rm', '-f', '/dcm-stages'],
  ])
  const wishes = world.host.fake.calls.filter((call) => call.method === 'engine.create').slice(-2)
  const images = await Promise.all([
    world.store.images.byRef(null, 'debian:latest'),
    world.store.images.byRef(alice!.id, 'base:v1'),
  ])
  expect(wishes.map((call) => (call.args[0] as { imageId: string }).imageId)).toEqual(
    images.map((one) => one!.engineId),
  )
  expect((await left())[0]).toBe(before[0])
  expect((await build(alice!, 'FROM debian\nFROM vault:v1')).error).toBe('not_found')
  expect((await build(alice!, 'FROM debian\nFROM debian\nCOPY --from=0 / /x')).error).toBe('usage')
  for (const ref of ['made:v1', 'base:v1']) await world.say(alice!, `rmi -f ${ref}`)
  await world.say(alice!, 'rm -f web')
})

test('what is not offered is refused before anything is asked of the host', async () => {
  const asked = world.host.fake.calls.length
  const reply = await build(alice!, 'FROM debian\nADD http://127.0.0.1/ /x\nCOPY a /b\nRUN --network=host id')
  expect(reply).toMatchObject({ error: 'usage' })
  expect(reply.text).toMatch(/line 2: ADD fetches.*; line 4: RUN --network is not offered/)
  expect((await build(alice!, 'FROM debian\nCOPY a /b')).text).toContain('or one of /storage with --context')
  for (const context of ['/etc', '../x', '/storage/../etc', 'a/../../b'])
    expect((await build(alice!, 'FROM debian', { context })).error, context).toBe('usage')
  for (const line of ['COPY ../x /y', 'USER a b', 'EXPOSE 99999', 'WORKDIR /a\\"b', 'ENV A=$B\nUSER -x']) {
    const wrong = await build(alice!, `FROM debian\n${line}`, { context: 'app' })
    expect(wrong.error, line).toBe('usage')
  }
  expect((await build(alice!, 'FROM debian', { 'build-arg': ['NONE=1'] })).error).toBe('usage')
  expect(world.host.fake.calls.slice(asked).filter((call) => call.method === 'engine.exec')).toEqual([])
})

test('J01 it counts as a running container with its limits, and as an image', async () => {
  await world.say(world.admin, 'quota set alice running=0')
  expect(await build(alice!, 'FROM debian')).toMatchObject({ error: 'limited' })
  await world.say(world.admin, 'quota set alice running=5 memory=256m')
  expect(await build(alice!, 'FROM debian')).toMatchObject({ error: 'limited' })
  await world.say(world.admin, 'quota unset alice running memory')
  await world.say(world.admin, 'quota set alice images=0')
  expect(await build(alice!, 'FROM debian')).toMatchObject({ error: 'limited' })
  await world.say(world.admin, 'quota unset alice images')
  await world.say(world.admin, 'quota set alice disk=50m')
  expect(await build(alice!, 'FROM debian')).toMatchObject({
    error: 'limited',
    text: expect.stringContaining('disk left'),
  })
  await world.say(world.admin, 'quota unset alice disk')
  expect(await refs(alice!)).toEqual([])
})

test('a line that fails is told with its end of the output, and nothing stays', async () => {
  const before = await left()
  ends = ({ argv }) => (argv.includes('false') ? 3 : 0)
  const reply = await build(alice!, 'FROM debian\nRUN true\nRUN ["false"]\nRUN never')
  expect(reply).toMatchObject({
    error: 'conflict',
    text: 'Line 3 (RUN ["false"]) ended with exit code 3. It said: working.',
  })
  expect(await left()).toEqual(before)
  ends = () => 0
})

test.each(['engine.create', 'engine.start', 'engine.exec', 'engine.commit', 'engine.imageHas'] as const)(
  'K02 %s that fails for good leaves nothing; one whose answer is lost, one image',
  async (method) => {
    const before = await left()
    world.host.fake.fail(method, 'refused')
    expect((await build(alice!, 'FROM debian\nRUN true')).error).toBeDefined()
    expect([await refs(alice!), await left()]).toEqual([[], before])
    world.host.fake.fail(method, 'down', { after: true })
    expect((await build(alice!, 'FROM debian\nRUN true')).error).toBeUndefined()
    expect(await refs(alice!)).toEqual(['made:v1'])
    await world.say(alice!, 'rmi -f made:v1')
    expect(await left()).toEqual(before)
  },
)

test('while it builds it is in ps, and nothing else may be done to it', async () => {
  const go = world.host.fake.hold('engine.exec')
  const building = build(alice!, 'FROM debian\nRUN true')
  await expect
    .poll(async () => (await world.say(alice!, 'ps')).table?.rows.flat().join(' '))
    .toMatch(/build-\w+ debian Up/)
  const { name } = (await world.store.containers.of(alice!.id)).find((one) => one.name.startsWith('build-'))!
  for (const line of [`stop ${name}`, `kill -s HUP ${name}`, `commit ${name} x:1`])
    expect(await world.say(alice!, line), line).toMatchObject({ error: 'conflict' })
  go()
  expect((await building).error).toBeUndefined()
  await world.say(alice!, 'rmi -f made:v1')
})

test('kill ends a build, which says by whom, and all of it is gone', async () => {
  const before = await left()
  const go = world.host.fake.hold('engine.exec')
  const building = build(alice!, 'FROM debian\nRUN sleep 1000')
  const mine = async () => (await world.store.containers.of(alice!.id)).find((one) => one.name.startsWith('build-'))
  await expect.poll(async () => (await mine())?.state).toBe('running')
  const { name, engineId } = (await mine())!
  expect((await world.say(alice!, `stop ${name}`)).text).toContain('which kill ends')
  const killing = world.say(alice!, `kill ${name}`)
  await expect
    .poll(async () => (await world.host.engine.list()).find((one) => one.engineId === engineId)?.state)
    .not.toBe('running')
  go()
  expect(await killing).toMatchObject({ tone: 'ok', text: `${name} was ended, and nothing of it is left.` })
  expect(await building).toMatchObject({ error: 'conflict', text: `${name} was ended by alice.` })
  expect(await left()).toEqual(before)
  expect(await refs(alice!)).not.toContain('made:v1')
})
