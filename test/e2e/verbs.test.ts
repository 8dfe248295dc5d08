import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import { parseWords } from '../../src/core/command/parse.ts'
import { splitWords } from '../../src/core/command/words.ts'
import { textOf as shownByDiscord } from '../adapters/discord/setup.ts'
import { textOf as shownBySlack } from '../adapters/slack/setup.ts'
import { namesThing } from '../core/door/named.ts'
import { createDatabase, query } from '../setup/postgres.ts'
import { type Registry, startRegistry } from '../setup/registry.ts'
import { until } from '../setup/until.ts'
import { createDiscord, type Discord, type Person as DiscordPerson } from '../stand-ins/discord/index.ts'
import { senders } from '../stand-ins/forges.ts'
import { createSlackStandIn, type Person as SlackPerson, type SlackStandIn } from '../stand-ins/slack/index.ts'
import { agree } from './support/agree.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import { ensureKept, kept } from './support/images.ts'
import { makeKey, type Member, runProgram } from './support/member.ts'
import { type OpenSsh, reachDoor } from './support/openssh.ts'
import { type Verb, verbs, type Way } from './support/verbs.ts'

const stack = new AsyncDisposableStack()
let [dcm, alice, bob, door]: [Dcm, Member, Member, OpenSsh] = [] as never
let [slack, discord, registry]: [SlackStandIn, Discord, Registry] = [] as never
let here: { alice: SlackPerson; stranger: SlackPerson; there: DiscordPerson }
/** What the `{words}` of lines stand for. */
const told = new Map<string, string>()
/** The prompt that `sessions kill` ends. */
let prompt: Promise<unknown>

beforeAll(async () => {
  await ensureKept()
  slack = await createSlackStandIn()
  stack.defer(() => slack.close())
  discord = await createDiscord()
  stack.defer(() => discord.stop())
  // A machine under load is late; a platform that gives up on it is another test's.
  slack.limits.patience = 60_000
  discord.state.patience = 60_000
  const token = slack.install('T1')
  registry = stack.use(await startRegistry({ locked: true }))
  const database = stack.use(await createDatabase())
  dcm = stack.use(
    await startDcm({
      databaseUrl: database.url,
      offers: { from: kept },
      env: {
        DCM_SIGNUP: 'request',
        SLACK_SIGNING_SECRET: slack.app.signingSecret,
        SLACK_BOT_TOKEN: token,
        SLACK_API_URL: slack.apiUrl,
        DISCORD_TOKEN: discord.token,
        DISCORD_API_URL: discord.api,
      },
    }),
  )
  slack.connect('http', async (request) => {
    const { method } = request
    return fetch(`${dcm.url}/slack/events`, { method, headers: request.headers, body: await request.text() })
  })
  ;[alice, bob] = [await dcm.member('alice'), await dcm.member('bob')]
  door = await reachDoor(dcm)
  const lab = discord.guild('lab')
  here = {
    alice: slack.person('UALICE', 'T1', 'alice'),
    stranger: slack.person('USTRANGER', 'T1', 'stranger'),
    there: discord.person('alice', [lab]),
  }
  await dcm.must(`user link alice discord:${here.there.id}`)
  await until('Discord to have the commands', () => discord.asked.some((one) => one.method === 'PUT'))
  told.set('registry', registry.host)
  told.set('tar', door.file('web.tar'))
  told.set('key', (await makeKey(dcm.dataDir, 'second')).publicKey)

  const child = spawn('ssh', [...door.options(alice.key), '-tt', '-p', door.port, 'alice@127.0.0.1'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  stack.defer(() => void child.kill('SIGKILL'))
  let shown = ''
  child.stdout.on('data', (text: Buffer) => (shown += text.toString()))
  prompt = once(child, 'exit')
  await until('the prompt', () => shown.includes('dcm> '))
})
afterAll(() => stack.disposeAsync())

const asAlice = () => ({ DCM_URL: dcm.url, DCM_TOKEN: alice.token })

/** Waits until somebody is shown something that they were not shown before. */
async function shows<M extends { edits: number }>(
  all: () => readonly M[],
  textOf: (one: M) => string,
  says: RegExp,
  act: () => Promise<unknown>,
): Promise<string> {
  const before = new Map(all().map((one) => [one, one.edits]))
  await act()
  const fresh = () =>
    all()
      .filter((one) => before.get(one) !== one.edits)
      .map(textOf)
  // A refusal is an answer too, if not the one that is hoped for.
  await until(`${says}`, () => fresh().some((text) => says.test(text) || text.startsWith('✗'))).catch(() => undefined)
  return fresh().join('\n')
}

/** Says a line in one way, by the real client. @returns all that is seen of the answer */
const say: Record<Way, (line: string, verb: Verb) => Promise<string>> = {
  async http(line, { by }) {
    const words = splitWords(line)
    if (by === 'admin') return JSON.stringify(await dcm.must(words))
    const asked = { method: 'POST' as const, token: alice.token, body: { words, wait: 120 } }
    const { status, text } = await dcm.http('/v1/line', asked)
    expect(status, text).toBe(200)
    return text
  },
  async dcm(line, { by, input }) {
    const ran = await dcm.cli(splitWords(line), { ...(by === 'admin' ? {} : { env: asAlice() }), input: input ?? '' })
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    return ran.stdout + ran.stderr
  },
  async ssh(line) {
    const ran = await door.ssh('alice', alice.key, [line])
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    return ran.stdout + ran.stderr
  },
  slack: (line, { by, says }) =>
    shows(
      () => slack.messages,
      shownBySlack,
      says,
      () => slack.command(by === 'stranger' ? here.stranger : here.alice, line),
    ),
  discord: (line, { says }) =>
    shows(
      () => [...discord.state.messages.values()],
      shownByDiscord,
      says,
      () => here.there.slash('dcm', { line }),
    ),
  async hook() {
    const { headers, body } = senders.token(told.get('secret')!, { delivery: 'one' })
    const url = new URL(told.get('url')!)
    return (await fetch(`${dcm.url}${url.pathname}?wait=60`, { method: 'POST', headers, body })).text()
  },
  async upload(line) {
    const name = /--name (\S+)/.exec(line)![1]!
    const tar = await runProgram('tar', ['-C', '/etc', '-cf', '-', name])
    const headers = { authorization: `Bearer ${alice.token}`, 'content-type': 'application/x-tar' }
    return (await fetch(`${dcm.url}/v1/inbox?name=${name}`, { method: 'POST', headers, body: tar.stdout })).text()
  },
}

/** Who may not say it, where somebody may not: an admin's verb a member, what is about alice's things the other member. */
function refusal(words: string[]): { who: Member; code: string } | undefined {
  const { command, given } = parseWords(commands, words)
  if (command.needs === 'admin') return { who: alice, code: 'denied' }
  const hers = Object.entries(given).some(
    ([name, value]) => namesThing(command, name) && value !== 'debian' && name !== 'account',
  )
  return hers ? { who: bob, code: 'not_found' } : undefined
}

let broken = ''

test.each(verbs.map((verb, at) => [verb.line.split('\n')[0]!, verb.way, verb, at] as const))(
  '%s, by %s',
  async (_, way, verb) => {
    // Each stands on those before it.
    expect(broken).toBe('')
    broken = verb.line
    const line = verb.line.replace(/\{(\w+)\}/g, (all, word: string) => told.get(word) ?? all)
    // Where `dcm` writes a file is between it and who types.
    const words = splitWords(line.replace(/ -o \S+$/, ''))
    const not = refusal(words)
    if (not) expect(await not.who.run(words), line).toMatchObject({ error: not.code })
    const seen = await say[way](line, verb)
    expect(seen).toMatch(verb.says)
    for (const [name, where] of Object.entries(verb.keeps ?? {})) {
      expect(seen).toMatch(where)
      told.set(name, where.exec(seen)![1]!)
    }
    broken = ''
  },
)

test('what was said so is so: in Docker, on the disk, on both platforms and in the audit log', async () => {
  await prompt
  expect((await readFile(told.get('tar')!)).length).toBeGreaterThan(10 * 2 ** 20)
  expect((await alice.ssh('web', 'cat /storage/inbox/hostname; echo $MODE; ls /run/secrets')).stdout).toBe(
    `${await readFile('/etc/hostname', 'utf8')}test\n`,
  )
  const { containers, networks, forwarders } = await lookAt(dcm.engine, dcm.instance())
  expect([containers.length, networks.length, forwarders.length]).toEqual([1, 1, 0])
  expect(slack.violations).toEqual([])
  expect(discord.violations).toEqual([])
  const rows = await query(
    dcm.databaseUrl!,
    `select surface, string_agg(distinct actor, ' ') as actors, string_agg(distinct address, ' ') as addresses,
      count(*) filter (where decision = 'begun')::int as begun from audit where actor is not null group by 1 order by 1`,
  )
  // N06: who it was, and which account of which platform they came with.
  expect(rows.map((row) => [row['surface'], row['actors'], row['addresses'], row['begun']])).toEqual([
    ['discord', 'alice', expect.stringMatching(new RegExp(`^discord:\\w+/${here.there.id} in `)), 0],
    ['hook', 'alice', expect.anything(), 0],
    ['http', 'alice', '127.0.0.1', 0],
    ['local', 'admin alice bob', null, 0],
    ['slack', 'alice', expect.stringContaining('slack:T1/UALICE'), 0],
    ['ssh', 'alice', expect.stringContaining('127.0.0.1'), 0],
  ])
  await agree(dcm)
  await dcm.must('user rm alice --images --storage', { yes: true })
  await agree(dcm)
  expect((await lookAt(dcm.engine, dcm.instance())).containers).toEqual([])
})
