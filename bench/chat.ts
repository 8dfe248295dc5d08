import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDcm } from '../test/e2e/support/dcm.ts'
import { sharedSocket } from '../test/setup/engine.ts'
import { createDatabase } from '../test/setup/postgres.ts'
import { createDiscord } from '../test/stand-ins/discord/index.ts'
import { startEngineProxy } from '../test/stand-ins/engine.ts'
import { createSlackStandIn } from '../test/stand-ins/slack/index.ts'
import { ms, type Row } from './measure.ts'

const atOnce = 200
/** How long each call to the engine takes: longer than either platform waits for anything. */
const slow = 60_000

const forward = (url: string) => async (request: Request) =>
  fetch(url, {
    method: 'POST',
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  })

/** Milliseconds until each of many commands is acknowledged that are typed at the same moment. @throws when one is not */
async function acknowledge(what: string, command: () => Promise<boolean>): Promise<Row> {
  const times = await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const began = performance.now()
      if (!(await command())) throw new Error(`${what}: a command was not acknowledged`)
      return performance.now() - began
    }),
  )
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => ms(sorted[Math.min(atOnce - 1, Math.floor(atOnce * share))]!)
  return {
    what: `${what}: ${atOnce} commands at once while each engine call takes 60 s, until acknowledged: p50, p95, last`,
    dcm: [at(0.5), at(0.95), at(1)].join(', '),
    other: '',
    ratio: '',
    aim: 'last under 1000 ms',
  }
}

/**
 * How fast commands are acknowledged in chats while the engine answers nobody. Slack and Discord are the tests' own, in
 * this process, so that what they take to send 200 commands and to read the answers is in the figures.
 */
export async function benchChat(say: (line: string) => void, on: 'PostgreSQL' | 'embedded database'): Promise<Row[]> {
  say(`  acknowledgement in chats, ${on}`)
  await using stack = new AsyncDisposableStack()
  const database = on === 'PostgreSQL' ? stack.use(await createDatabase()) : undefined
  const slack = stack.adopt(await createSlackStandIn(), (one) => one.close())
  const discord = stack.adopt(await createDiscord(), (one) => one.stop())
  const lab = discord.guild('lab')
  let hanging = false
  const proxy = stack.use(
    await startEngineProxy({
      upstream: sharedSocket,
      onCall: async () => {
        if (hanging) await sleep(slow, undefined, { ref: false })
      },
    }),
  )
  const dcm = stack.use(
    await startDcm({
      ...(database ? { databaseUrl: database.url } : {}),
      dockerHost: proxy.socket,
      engine: sharedSocket,
      env: {
        DCM_SECRET_KEY: randomBytes(32).toString('hex'),
        SLACK_SIGNING_SECRET: slack.app.signingSecret,
        SLACK_BOT_TOKEN: slack.install('T1'),
        SLACK_API_URL: slack.apiUrl,
        DISCORD_TOKEN: discord.token,
        DISCORD_PUBLIC_KEY: discord.publicKey,
        DISCORD_API_URL: discord.api,
      },
    }),
  )
  for (let tries = 0; !discord.gateway.connected() || discord.state.commands.length === 0; tries++) {
    if (tries > 200) throw new Error('DCM did not connect to Discord')
    await sleep(100)
  }
  const ada = await dcm.member('ada')
  await ada.must('create web --image debian -m 64m')
  await dcm.must('user link ada slack:T1/UADA')
  const account = discord.person('ada', [lab])
  await dcm.must(`user link ada discord:${account.id}`)
  slack.connect('http', forward(`${dcm.url}/slack/events`))
  const typed = slack.person('UADA', 'T1', 'ada')

  const bySlack = async () => (await slack.command(typed, 'logs web')).status === 200
  const byDiscord = async () => !(await account.slash('dcm', { line: 'logs web' }, lab)).failed
  hanging = true
  try {
    const rows = [
      await acknowledge(`Slack by HTTP, ${on}`, bySlack),
      await acknowledge(`Discord's gateway, ${on}`, byDiscord),
    ]
    await discord.endpoint(forward(`${dcm.url}/discord/interactions`))
    rows.push(await acknowledge(`Discord by HTTP, ${on}`, byDiscord))
    return rows
  } finally {
    hanging = false
  }
}
