import { createHmac, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openWeb, type Web } from '../../src/web.ts'
import { sharedSocket } from '../setup/engine.ts'
import { createDatabase, query } from '../setup/postgres.ts'
import { type EngineProxy, startEngineProxy } from '../stand-ins/engine.ts'
import { createSlackStandIn, type Message, type SlackStandIn } from '../stand-ins/slack/index.ts'
import { senders } from '../stand-ins/forges.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { makeKey, type Member } from './support/member.ts'
import { startWeb, type WebProcess } from './support/web.ts'
import { until } from '../setup/until.ts'

/** A worker with the engine, two processes that only answer HTTP, and the same as a function in this one. */
const stack = new AsyncDisposableStack()
let slack: SlackStandIn
let proxy: EngineProxy
let worker: Dcm
let webs: [WebProcess, WebProcess]
let here: Web
let ada: Member
let url = ''
let shared: Record<string, string>

beforeAll(async () => {
  const database = stack.use(await createDatabase())
  url = database.url
  slack = stack.adopt(await createSlackStandIn(), (one) => one.close())
  proxy = stack.use(await startEngineProxy({ upstream: sharedSocket }))
  shared = {
    DATABASE_URL: url,
    DCM_SECRET_KEY: randomBytes(32).toString('hex'),
    SLACK_SIGNING_SECRET: slack.app.signingSecret,
    SLACK_BOT_TOKEN: slack.install('T1'),
    SLACK_API_URL: slack.apiUrl,
  }
  worker = stack.use(
    await startDcm({
      databaseUrl: url,
      dockerHost: proxy.socket,
      engine: sharedSocket,
      env: { ...shared, DCM_ROLE: 'worker' },
    }),
  )
  // They are given an engine that is not there: whoever asked for it would fail.
  const env = { ...shared, DOCKER_HOST: 'unix:///nowhere/docker.sock' }
  webs = [stack.use(await startWeb(env)), stack.use(await startWeb(env))]
  const read = readConfig({ ...env, DCM_ROLE: 'web', LOG_LEVEL: 'silent' }, false)
  if ('problems' in read) throw new Error(read.problems.join(' '))
  here = stack.adopt(await openWeb(read.config), (one) => one.close())
  ada = await worker.member('ada')
  await worker.must('user link ada slack:T1/UADA')
}, 240_000)
afterAll(() => stack.disposeAsync())

let turn = 0
/** Delivers to the two processes in turn, as a balancer would. */
const inTurn = async (request: Request) => {
  const web = webs[turn++ % 2]!
  return fetch(`${web.url}/slack/events`, {
    method: 'POST',
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  })
}
const shown = (what: RegExp) =>
  slack.messages.filter((one) => what.test(one.text) || what.test(JSON.stringify(one.blocks)))
const answer = (what: RegExp): Promise<Message> => until(`${what}`, () => shown(what)[0])
const form = 'application/x-www-form-urlencoded'

/** One request to the function that a fetch host would call. */
async function call(line: string, wait = 60) {
  const response = await here.fetch(
    new Request('https://dcm.example/v1/line', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${ada.token}` },
      body: JSON.stringify({ line, wait }),
    }),
  )
  return { status: response.status, ...((await response.json()) as { text: string; error?: string }) }
}

test('two web processes and a worker serve one Slack app, and what Slack repeats to the other is done once', async () => {
  slack.connect('http', inTurn)
  const account = slack.person('UADA', 'T1', 'ada')
  proxy.clear()

  const create = slack.commandBody(account, 'create web --image debian -m 64m')
  const acks = await Promise.all([0, 1, 2, 3].map((retry) => slack.post(create.body, form, { retry })))
  expect(acks.map((ack) => ack.status)).toEqual([200, 200, 200, 200])
  const made = await answer(/web is running/)
  expect(proxy.calls({ method: 'POST', path: '/containers/*/start' })).toHaveLength(1)

  // What only the engine can tell is answered too, for it is the worker who answers.
  await slack.command(account, 'logs web')
  await answer(/web has printed nothing/)
  await slack.command(account, 'exec web -- echo from-inside')
  await answer(/from-inside/)

  await slack.command(account, 'stop web -t 1')
  await answer(/web is stopped/)
  await slack.command(account, 'rm web')
  const question = await answer(/Remove web/)
  const button = slack.buttonsOf(question).find((one) => one.label === 'Confirm')!
  const press = slack.actionBody(account, { message: question }, button)
  await Promise.all([0, 1, 2, 3].map(() => slack.interactive({ ...press, trigger_id: `${Math.random()}` })))
  await answer(/web is removed/)
  await worker.settled()
  const rows = await query(
    url,
    `select command, count(*)::int as n from audit where decision = 'done' and target = 'web' and operation_id is not null and command in ('create', 'rm') group by 1 order by 1`,
  )
  expect(rows).toEqual([
    { command: 'create', n: 1 },
    { command: 'rm', n: 1 },
  ])
  expect(made.to).toBe('UADA')
  expect(shown(/web is running/)).toHaveLength(1)
  expect(slack.violations).toEqual([])
}, 120_000)

test('the exported fetch answers the API without a server: operations by the worker, reads from the database, and a sentence for the rest', async () => {
  expect((await here.fetch(new Request('https://dcm.example/healthz'))).status).toBe(200)
  expect((await here.fetch(new Request('https://dcm.example/v1/ps'))).status).toBe(401)
  expect(await call('create api --image debian -m 64m')).toMatchObject({ status: 200, tone: 'ok' })
  expect((await call('ps')).text).toMatch(/one container/)
  expect((await call('exec api -- hostname')).text).toContain('api')
  const logs = await call('logs api')
  expect(logs).toMatchObject({ status: 503, error: 'unavailable' })
  expect(logs.text).toMatch(/DCM_ROLE=web/)

  // A key that is added here is in the container when the answer comes, though this process cannot put it there.
  const second = await makeKey(worker.dataDir, 'second')
  expect((await call(`key add ${second.publicKey}`)).error).toBeUndefined()
  expect((await ada.ssh('api', 'echo in', { key: second.key })).stdout.trim()).toBe('in')
  expect(JSON.stringify(await call('ssh api'))).toMatch(/ssh -p \d+ root@127\.0\.0\.1/)
  expect((await call('rm -f api --yes')).error).toBeUndefined()
}, 120_000)

test('a webhook that comes to both is carried out once, by the worker, with what only the engine can tell', async () => {
  await ada.must('create hooked --image debian -m 64m')
  const { data } = await ada.must<{ url: string; secret: string }>([
    'hook',
    'new',
    'ci',
    '--do',
    'exec hooked -- hostname',
  ])
  const { headers, body } = senders.token(data.secret, { delivery: 'delivery-1' })
  const path = `${new URL(data.url).pathname}?wait=30`
  const answers = await Promise.all(
    [0, 1, 2, 3].map(async (n) => {
      const response = await fetch(`${webs[n % 2]!.url}${path}`, { method: 'POST', headers, body })
      return { status: response.status, text: await response.text() }
    }),
  )
  expect(answers.map((one) => one.status)).toEqual([200, 200, 200, 200])
  expect(answers.map((one) => one.text).join(' ')).toContain('exit code 0')
  expect(
    await query(url, `select count(*)::int as n from operations where command = 'exec' and target = 'hooked'`),
  ).toEqual([{ n: 1 }])
  await ada.must('rm -f hooked --yes')
})

test('what goes on after an answer is handed to the host that asked, and is stored by then', async () => {
  const account = slack.person('UADA', 'T1', 'ada')
  const { body } = slack.commandBody(account, 'whoami')
  const at = Math.floor(Date.now() / 1000)
  const mac = createHmac('sha256', slack.app.signingSecret).update(`v0:${at}:${body}`).digest('hex')
  const left: Promise<unknown>[] = []
  const response = await here.fetch(
    new Request('https://dcm.example/slack/events', {
      method: 'POST',
      headers: { 'Content-Type': form, 'X-Slack-Request-Timestamp': `${at}`, 'X-Slack-Signature': `v0=${mac}` },
      body,
    }),
    { waitUntil: (work) => void left.push(work) },
  )
  expect(response.status).toBe(200)
  expect(left).toHaveLength(1)
  await Promise.all(left)
  const trigger = new URLSearchParams(body).get('trigger_id')
  expect(await query(url, `select count(*)::int as n from outbox where key = 'c:${trigger}'`)).toEqual([{ n: 1 }])
  await answer(/You are ada/)
})

test('a web process with another key does not start, and one that stops lets go', async () => {
  const wrong = startWeb({ ...shared, DCM_SECRET_KEY: randomBytes(32).toString('hex') })
  await expect(wrong).rejects.toThrow('DCM_SECRET_KEY is not the key of the worker')
  expect(await webs[0].stop()).toBe(0)
  expect(webs[0].logs()).not.toMatch(/nowhere\/docker\.sock|xoxb-/)
})
