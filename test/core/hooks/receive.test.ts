import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createHttp } from '../../../src/adapters/http/index.ts'
import { createHookRoute } from '../../../src/adapters/http/hooks.ts'
import { commands } from '../../../src/commands/index.ts'
import { createHooks, type Hooks } from '../../../src/core/hooks/receive.ts'
import type { Person } from '../../../src/core/model/person.ts'
import type { Reply } from '../../../src/core/reply/reply.ts'
import { createWorld, type World } from '../door/world.ts'
import {
  curl,
  gitea,
  github,
  githubPing,
  gitlab,
  type Posted,
  type Sender,
  senders,
  standard,
} from '../../stand-ins/forges.ts'

type Answered = {
  status: number
  json: Reply & { data: { delivery: string; state?: string } }
  text: string
  headers: Headers
}

let world: World
let alice: Person
let hooks: Hooks
let post: (url: string, posted: Posted, query?: string) => Promise<Answered>
let count = 0

const log = { debug() {}, info() {}, warn() {}, error() {} }
const createMine = (holder = 'test', storesOnly = false) =>
  createHooks({ works: world.works, commands, holder, log, handle: world.door.handle, storesOnly })

/** Sends to hooks as over HTTP. */
function senderTo(mine: Hooks): typeof post {
  const http = createHttp({ door: world.door, log: log as never, version: '0' })
  http.mount('/v1/hooks', createHookRoute(mine))
  return async (url, { headers, body }, query = '?wait=20') => {
    const response = await http.fetch(new Request(url + query, { method: 'POST', headers, body }), {
      address: '192.0.2.9',
    })
    const text = await response.text()
    return { status: response.status, text, headers: response.headers, json: JSON.parse(text) as Answered['json'] }
  }
}

beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  expect((await world.say(alice, 'create web --image debian')).error).toBeUndefined()
  hooks = createMine()
  post = senderTo(hooks)
})
afterAll(async () => {
  hooks?.stop()
  await world?.[Symbol.asyncDispose]()
})

type Made = { id: string; name: string; url: string; secret: string }
async function hook(options: string, who = alice, line = 'restart web'): Promise<Made> {
  const reply = await world.say(who, `hook new h${++count} --do "${line}" ${options}`)
  expect(reply.error, reply.text).toBeUndefined()
  return reply.data as Made
}

const restarts = () => world.host.fake.calls.filter((call) => call.method === 'engine.start').length
const logOf = async ({ name }: Made, who = alice) =>
  (await world.say(who, `hook log ${name}`)).data as {
    failures: number
    deliveries: {
      state: string
      error: string | null
      text: string
      key: string
      operation: string | null
      event: string
    }[]
  }
const verb = (sender: Sender) => `--verify ${sender.split(',')[0]}`
let before = 0
afterEach(() => world.sql('delete from hooks'))
beforeEach(() => {
  before = restarts()
})

describe.each(Object.keys(senders) as Sender[])('%s', (sender) => {
  test('H01, H02 what is sent runs once as its owner, however often it is delivered', async () => {
    const made = await hook(verb(sender))
    const posted = senders[sender](made.secret, { delivery: 'guid-1', at: Math.floor(Date.now() / 1000) })
    const first = await post(made.url, posted)
    expect(first).toMatchObject({ status: 200, json: { text: 'web was restarted.', operation: { state: 'done' } } })
    expect(restarts()).toBe(before + 1)
    const second = await post(made.url, posted)
    expect(second).toMatchObject({ status: 200, json: { text: 'web was restarted.', operation: first.json.operation } })
    expect(restarts()).toBe(before + 1)
    expect(await logOf(made)).toMatchObject({
      failures: 0,
      deliveries: [{ state: 'done', key: 'guid-1', text: 'web was restarted.' }],
    })
    const rows = (await world.store.audit.read({ limit: 5 })).filter(
      (row) => row.operationId === first.json.operation!.id,
    )
    expect(rows).toMatchObject([
      { actor: 'alice', surface: 'hook', command: 'restart', target: 'web', decision: 'done' },
    ])
  })

  test('H01 forged and replayed: the same words as for a hook that is not there, and nothing happens', async () => {
    const made = await hook(verb(sender))
    const good = senders[sender](made.secret)
    const nobody = await post(made.url.replace(/.{12}$/, 'zzzzzzzzzzzz'), good)
    const forged = senders[sender]('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const bare: Posted = { body: good.body, headers: { 'content-type': good.headers['content-type']! } }
    for (const posted of [forged, bare, { ...good, headers: forged.headers }, { body: '', headers: {} }]) {
      const refused = await post(made.url, posted)
      expect(refused.text).toBe(nobody.text)
      expect(refused.status).toBe(401)
      expect([...refused.headers.keys()]).toEqual([...nobody.headers.keys()])
    }
    expect(restarts()).toBe(before)
    await expect.poll(() => logOf(made)).toMatchObject({ failures: 4, deliveries: [] })
  })

  test('twenty at once are one', async () => {
    const made = await hook(verb(sender))
    const posted = senders[sender](made.secret, { delivery: 'guid-20' })
    const all = await Promise.all(Array.from({ length: 20 }, () => post(made.url, posted)))
    expect(new Set(all.map((one) => one.json.operation?.id)).size).toBe(1)
    expect(all.map((one) => one.status)).toEqual(all.map(() => 200))
    expect(restarts()).toBe(before + 1)
  })
})

test('who waits at a process that only stores hears the same as where it is carried out', async () => {
  const front = createMine('front', true)
  const made = await hook('--verify github')
  const posted = github(made.secret)
  const waiting = senderTo(front)(made.url, posted)
  await expect.poll(async () => (await logOf(made)).deliveries.length).toBe(1)
  await hooks.resume()
  const [there, here] = [await waiting, await post(made.url, posted)]
  expect(there.json.operation).toMatchObject({ state: 'done' })
  expect(there).toMatchObject({ status: 200, json: here.json })
})

test("H02 a call of somebody else's under the delivery's name is not taken for the delivery's own", async () => {
  const mal = await world.member('mal')
  expect((await world.say(mal, 'create web --image debian')).error).toBeUndefined()
  const front = createMine('front', true)
  const made = await hook('--verify github')
  const posted = github(made.secret)
  const accepted = await senderTo(front)(made.url, posted, '?wait=0')
  const id = accepted.json.data.delivery
  const call = { actor: { person: mal, surface: 'http' as const }, input: { line: 'restart web' }, requestId: id }
  expect((await world.door.handle(call, { wait: 20_000 })).error).toBeUndefined()
  before = restarts()
  await hooks.resume()
  await expect.poll(async () => (await logOf(made)).deliveries).toMatchObject([{ state: 'done' }])
  expect(restarts()).toBe(before + 1)
  front.stop()
})

describe('H02 the same body under a new id', () => {
  test.each([
    ['github', github, 1],
    ['gitea', gitea, 1],
    ['gitlab', gitlab, 2],
    ['standard', standard, 2],
    ['token', curl, 2],
  ] as const)('%s', async (scheme, send, times) => {
    const made = await hook(`--verify ${scheme}`)
    await post(made.url, send(made.secret, { delivery: 'a' }))
    const second = await post(made.url, send(made.secret, { delivery: 'b' }))
    expect(second.status).toBe(200)
    // Where the id is not signed, who has seen one delivery could make up ids: the signed bytes decide.
    expect(restarts()).toBe(before + times)
  })

  test('gitea, which signs the JSON alone: sent again as a form, under any name', async () => {
    const made = await hook('--verify gitea')
    const first = gitea(made.secret)
    await post(made.url, first)
    for (const n of [1, 2]) {
      const body = `${new URLSearchParams({ payload: first.body }).toString()}&x=${n}`
      const form = { 'content-type': 'application/x-www-form-urlencoded', 'x-gitea-delivery': `made-up-${n}` }
      expect((await post(made.url, { body, headers: { ...first.headers, ...form } })).status).toBe(200)
    }
    expect(restarts()).toBe(before + 1)
  })

  test("a request of one's own without an id is one of its own each time", async () => {
    const made = await hook('')
    for (const _ of [1, 2]) expect((await post(made.url, curl(made.secret))).status).toBe(200)
    expect(restarts()).toBe(before + 2)
  })
})

test('H09 the secret of one hook is none for another, not even of the same owner', async () => {
  const [one, two] = [await hook('--verify github'), await hook('--verify github')]
  expect((await post(two.url, github(one.secret))).status).toBe(401)
  expect((await post(one.url, github(one.secret))).status).toBe(200)
})

test('H09 rotated: both secrets are good while they overlap, and then the new one alone', async () => {
  const made = await hook('--verify github')
  const rotate = async (more: string) =>
    ((await world.say(alice, `hook rotate ${made.name} ${more}`)).data as Made).secret
  const second = await rotate('--overlap 1h')
  for (const secret of [made.secret, second])
    expect((await post(made.url, github(secret, { more: { secret } }))).status).toBe(200)
  await world.sql(`update hooks set previous_until = now() - interval '1 second' where id = '${made.id}'`)
  expect((await post(made.url, github(made.secret, { more: { n: 1 } }))).status).toBe(401)
  const third = await rotate('--now')
  expect((await post(made.url, github(second, { more: { n: 2 } }))).status).toBe(401)
  expect((await post(made.url, github(third, { more: { n: 3 } }))).status).toBe(200)
})

test('H03 secrets are sealed at rest, and shown by no other command', async () => {
  const made = await hook('--verify github')
  await world.say(alice, `hook rotate ${made.name}`)
  const row = (await world.store.hooks.known(made.id))!.hook
  expect(JSON.stringify(row)).not.toContain(made.secret.slice(6, 30))
  for (const line of [`hook show ${made.name}`, 'hook ls', `hook log ${made.name}`])
    expect(JSON.stringify(await world.say(alice, line))).not.toContain('whsec_')
  const rows = await world.store.audit.read({ limit: 200 })
  expect(JSON.stringify(rows)).not.toContain('whsec_')
})

describe('a hook is at most what its owner is at that moment', () => {
  test('suspended', async () => {
    const carol = await world.member('carol')
    await world.say(carol, 'create web --image debian')
    const made = await hook('--verify github', carol)
    await world.say(world.admin, 'user suspend carol')
    const said = await post(made.url, github(made.secret))
    expect(said).toMatchObject({ status: 403, json: { error: 'denied' } })
    await world.say(world.admin, 'user resume carol')
    expect(await logOf(made, carol)).toMatchObject({ deliveries: [{ state: 'refused', error: 'denied' }] })
  })

  test('no longer an admin', async () => {
    const boss = await world.member('boss', 'admin')
    const made = await hook('--verify github', boss, 'restart alice/web')
    await world.sql(`update people set role = 'member' where name = 'boss'`)
    expect(await post(made.url, github(made.secret))).toMatchObject({ status: 404, json: { error: 'not_found' } })
    expect(await post((await hook('--verify github')).url, github('whsec_'))).toMatchObject({ status: 401 })
    expect(restarts()).toBe(before)
  })

  test('gone', async () => {
    const dave = await world.member('dave')
    const made = await hook('--verify github', dave, 'restart web')
    await world.say(world.admin, 'user rm dave --storage --yes')
    expect((await post(made.url, github(made.secret))).status).toBe(401)
    expect(await world.store.hooks.known(made.id)).toBeUndefined()
  })

  test('expired or removed', async () => {
    const made = await hook('--verify github --for 1h')
    await world.sql(`update hooks set expires_at = now() where id = '${made.id}'`)
    expect((await post(made.url, github(made.secret))).status).toBe(401)
    expect((await world.say(alice, 'hook ls')).table!.rows.flat()).toContain('expired')
    const other = await hook('--verify github')
    await world.say(alice, `hook rm ${other.name}`)
    expect((await post(other.url, github(other.secret))).status).toBe(401)
    expect(restarts()).toBe(before)
  })

  test("H05 another member's container is as if it were not there", async () => {
    const bob = await world.member('bob')
    const theirs = await hook('--verify github', bob, 'restart web')
    const nobodys = await hook('--verify github', bob, 'restart wob')
    const [one, two] = [await post(theirs.url, github(theirs.secret)), await post(nobodys.url, github(nobodys.secret))]
    expect(one.json.text.replace('web', 'X')).toBe(two.json.text.replace('wob', 'X'))
    expect(restarts()).toBe(before)
  })
})

const forbidden = [
  'token new x',
  'token rm x',
  'key add x',
  'key rm x',
  'grant alice restart-policy',
  'revoke alice restart-policy',
  'user add eve',
  'user rm eve --yes',
  'hook new x --do "ps"',
  'hook rotate x',
  'hook rm x',
]

describe('a hook gives no rights away', () => {
  test.each(forbidden)('%s', async (line) => {
    const said = await world.say(world.admin, { name: 'hook new', args: { name: 'bad', do: line } })
    expect(said).toMatchObject({ error: 'denied', text: expect.stringContaining('A hook may not use') as string })
  })

  test('not even one whose row was made so', async () => {
    const made = await hook('', world.admin, 'restart alice/web')
    for (const line of forbidden) {
      await world.sql(`update hooks set line = '${line}' where id = '${made.id}'`)
      expect(await post(made.url, curl(made.secret)), line).toMatchObject({ status: 403 })
    }
    await world.sql(`update hooks set line = 'restart web --as alice' where id = '${made.id}'`)
    expect(await post(made.url, curl(made.secret))).toMatchObject({ status: 400 })
    expect(restarts()).toBe(before)
  })

  test('a scoped token makes none', async () => {
    const actor = { scope: { commands: ['hook', 'restart'], containers: null } }
    expect(await world.say(alice, 'hook new x --do "restart web"', { actor })).toMatchObject({ error: 'denied' })
  })

  test.each(['ps', 'logs web', 'ssh web'])('what changes nothing is none of its business: %s', async (line) => {
    expect(await world.say(alice, `hook new x --do "${line}"`)).toMatchObject({ error: 'usage' })
  })

  test('what asks has to be confirmed in the line', async () => {
    expect(await world.say(alice, 'hook new x --do "rm web"')).toMatchObject({
      error: 'usage',
      text: expect.stringContaining('--yes') as string,
    })
  })
})

describe('what is sent fills the places, and is nothing else', () => {
  test('values reach the command as they are', async () => {
    const made = await hook('--verify github', alice, 'commit web web:{sha}')
    const sha = 'ab'.repeat(20)
    expect(await post(made.url, github(made.secret, { sha }))).toMatchObject({ status: 200 })
    expect((await world.say(alice, 'images')).table!.rows.flat()).toContain(`web:${sha}`)
  })

  test.each(['--yes', '-f', 'main; rm -rf /', '$(id)', '../x', 'a b', '{sha}', "'"])(
    'a ref %j fills nothing',
    async (ref) => {
      const made = await hook('', alice, 'commit web web:v1 -m "{ref}"')
      const said = await post(made.url, curl(made.secret, { ref }))
      expect(said).toMatchObject({
        status: 400,
        json: { text: 'This delivery says no ref that could be put into the line, so nothing was done.' },
      })
      expect(await logOf(made)).toMatchObject({ deliveries: [{ state: 'refused', error: 'usage' }] })
    },
  )

  test('a branch that is gone has no commit', async () => {
    const made = await hook('--verify gitlab', alice, 'commit web web:{sha}')
    expect(await post(made.url, gitlab(made.secret, { sha: '0'.repeat(40) }))).toMatchObject({ status: 400 })
  })
})

describe('what a hook is not for is told and left', () => {
  test.each([
    ['an event', '--on release', 'The hook is for release, and this is push.'],
    ['a branch', '--if branch=release', 'The hook is for deliveries with branch=release, and this is none.'],
    [
      'a condition of the payload',
      '--if deleted=true',
      'The hook is for deliveries with deleted=true, and this is none.',
    ],
  ])('%s', async (_, options, text) => {
    const made = await hook(`--verify github ${options}`)
    expect(await post(made.url, github(made.secret))).toMatchObject({
      status: 200,
      json: { text, data: { state: 'ignored' } },
    })
    expect(restarts()).toBe(before)
    expect(await logOf(made)).toMatchObject({ deliveries: [{ state: 'ignored', event: 'push' }] })
  })

  test('and what it is for runs', async () => {
    const made = await hook('--verify github --on push --on release --if branch=ma* --if deleted=false')
    expect(await post(made.url, github(made.secret))).toMatchObject({
      status: 200,
      json: { operation: { state: 'done' } },
    })
  })

  test("GitHub's ping is no event", async () => {
    const made = await hook('--verify github --on push')
    expect(await post(made.url, githubPing(made.secret))).toMatchObject({
      status: 200,
      json: { data: { state: 'ignored' } },
    })
    expect(restarts()).toBe(before)
  })

  test('a body that is no JSON object is refused to who has signed it', async () => {
    const made = await hook('')
    for (const body of ['[]', 'x', '"ref"'])
      expect(await post(made.url, { ...curl(made.secret), body })).toMatchObject({ status: 400 })
    expect(restarts()).toBe(before)
  })
})

describe('the answer', () => {
  test('comes within a second whatever goes on, and the same delivery hears the outcome later', async () => {
    const made = await hook('')
    const release = world.host.fake.hold('engine.stop')
    const posted = curl(made.secret, { delivery: 'slow' })
    const first = await post(made.url, posted, '')
    expect(first).toMatchObject({ status: 202, json: { data: { state: 'received' }, operation: { state: 'running' } } })
    expect(first.headers.get('location')).toBe(`/v1/operations/${first.json.operation!.id}`)
    const second = post(made.url, posted)
    release()
    expect(await second).toMatchObject({
      status: 200,
      json: { operation: { id: first.json.operation!.id, state: 'done' } },
    })
    expect(restarts()).toBe(before + 1)
  })

  test('fails when what it began fails, and says so again to who asks again', async () => {
    const made = await hook('')
    world.host.fake.fail('engine.start', 'refused')
    const posted = curl(made.secret, { delivery: 'fails' })
    const first = await post(made.url, posted)
    expect(first).toMatchObject({ status: 409, json: { error: 'conflict', operation: { state: 'failed' } } })
    expect(await post(made.url, posted)).toMatchObject({ status: 409, json: { text: first.json.text } })
    expect(await logOf(made)).toMatchObject({ deliveries: [{ state: 'failed', error: 'conflict' }] })
    await world.say(alice, 'start web')
  })

  test("keeps what is private from who may read a forge's log", async () => {
    const made = await hook('--verify github', alice, 'create other --image debian')
    const said = await post(made.url, github(made.secret))
    expect(said).toMatchObject({ status: 200, json: { operation: { state: 'done' } } })
    expect(said.text).not.toMatch(/fingerprint|ssh -p|SHA256/)
    await world.say(alice, 'rm -f other')
  })

  test('a notice is owed to the owner, once', async () => {
    const made = await hook('')
    await post(made.url, curl(made.secret, { delivery: 'told' }))
    await post(made.url, curl(made.secret, { delivery: 'told' }))
    const told = (await world.store.notices.take(alice.id)).filter((row) => row.text.includes(made.name))
    expect(told).toMatchObject([{ kind: 'hook', text: `The hook ${made.name} has run: web was restarted.` }])
  })

  test.each(['?wait=-1', '?wait=301', '?wait=6m', '?wait=x', '?wait='])('%s is refused', async (query) => {
    const made = await hook('')
    expect(await post(made.url, curl(made.secret), query)).toMatchObject({ status: 400 })
    expect(restarts()).toBe(before)
  })
})

test('H07 more than sixty in a minute are refused, and kept from nobody else', async () => {
  const [made, other] = [await hook('--on nothing'), await hook('')]
  const all = []
  for (let at = 0; at < 62; at++) all.push((await post(made.url, curl(made.secret))).status)
  expect(all.filter((status) => status === 200)).toHaveLength(60)
  expect(all.at(-1)).toBe(429)
  expect((await post(other.url, curl(other.secret))).status).toBe(200)
})

describe('K09 what a crash cuts off', () => {
  const stored = async (made: Made, id: string) =>
    world.store.deliveries.insert(
      { id, hookId: made.id, key: id, state: 'received', places: {}, holder: 'dead.1' },
      60_000,
    )

  test('between the delivery and its operation: it is carried out once', async () => {
    const made = await hook('')
    await stored(made, 'cut-between')
    const next = createMine('next')
    await next.resume()
    expect(restarts(), "while its lease runs it is another's").toBe(before)
    await world.store.deliveries.abandon('dead.')
    await next.resume()
    await expect.poll(() => logOf(made)).toMatchObject({ deliveries: [{ state: 'done' }] })
    await next.resume()
    expect(restarts()).toBe(before + 1)
    next.stop()
  })

  test('after its operation began: that one is waited for, and no other begun', async () => {
    const made = await hook('')
    const actor = { person: alice, surface: 'hook' as const }
    await stored(made, 'cut-after')
    const reply = await world.door.handle({ actor, input: { line: 'restart web' }, requestId: 'cut-after' })
    await world.store.deliveries.abandon('dead.')
    const next = createMine('next')
    await next.resume()
    await expect
      .poll(() => logOf(made))
      .toMatchObject({ deliveries: [{ state: 'done', operation: reply.operation!.id }] })
    expect(restarts()).toBe(before + 1)
    next.stop()
  })

  test('a service that stops leaves it to the next', async () => {
    const made = await hook('')
    const mine = createMine('mine.1')
    const release = world.host.fake.hold('engine.stop')
    const headers = new Headers(curl(made.secret).headers)
    const receiving = mine.receive({
      id: made.id,
      body: Buffer.from('{}'),
      header: (name) => headers.get(name),
      wait: 20_000,
    })
    const web = await world.container(alice, 'web')
    await expect.poll(async () => (await world.store.operations.openOn(`container:${web.id}`))?.kind).toBe('restart')
    mine.stop()
    expect(await receiving).toMatchObject({ accepted: true })
    release()
    await world.store.deliveries.abandon('mine.')
    const next = createMine('mine.2')
    await next.resume()
    await expect.poll(() => logOf(made)).toMatchObject({ deliveries: [{ state: 'done' }] })
    expect(restarts()).toBe(before + 1)
    next.stop()
  })
})

test('only the newest thousand deliveries of a hook are kept', async () => {
  const made = await hook('')
  await world.sql(
    `insert into deliveries (id, hook_id, key, state, created_at) select 'd' || n, '${made.id}', n, 'ignored', now() - (2000 - n) * interval '1 minute' from generate_series(1, 1004) n`,
  )
  await post(made.url, curl(made.secret, { delivery: 'newest' }))
  expect(await world.store.deliveries.of(made.id, 2000)).toHaveLength(1000)
  expect(await world.store.deliveries.earlier(made.id, 'newest', null)).toBeDefined()
  expect(await world.store.deliveries.earlier(made.id, '5', null)).toBeUndefined()
  expect(await world.store.deliveries.earlier(made.id, '6', null)).toBeDefined()
})
