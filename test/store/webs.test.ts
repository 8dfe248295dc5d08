import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createSlack } from '../../src/adapters/slack/index.ts'
import { commands } from '../../src/commands/index.ts'
import { createChat } from '../../src/core/chat/chat.ts'
import { createContexts } from '../../src/core/door/context.ts'
import { createDoor } from '../../src/core/door/create.ts'
import { createRunner } from '../../src/core/operation/runner.ts'
import { HostError } from '../../src/core/host/fault.ts'
import { openPostgres } from '../../src/core/store/open.ts'
import { createStore } from '../../src/core/store/store.ts'
import { operations } from '../../src/operations/index.ts'
import { createWorld } from '../core/door/world.ts'
import { createDatabase } from '../setup/postgres.ts'
import { createSlackStandIn } from '../stand-ins/slack/index.ts'
import { until } from '../setup/until.ts'

const nothing = () => undefined
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }

test('two processes that only take requests, without an engine, and one that works, serve one Slack app and do nothing twice', async () => {
  await using database = await createDatabase()
  await using world = await createWorld({ database: database.url })
  const standIn = await createSlackStandIn()
  const token = standIn.install('T1')
  const common = {
    log: log as never,
    publicUrl: 'https://dcm.example',
    signingSecret: standIn.app.signingSecret,
    botToken: token,
    appToken: undefined,
    clientId: undefined,
    clientSecret: undefined,
    apiUrl: standIn.apiUrl,
    authorizeUrl: standIn.authorizeUrl,
    now: standIn.now,
  }

  /** A process that holds no engine: it stores what comes and leaves the rest to whoever works. */
  async function web(name: string) {
    const store = createStore(await openPostgres(database.url))
    const works = {
      ...world.works,
      store,
      random: randomBytes,
      host: () => {
        throw new HostError('down', 'There is no engine here.')
      },
    }
    const runner = createRunner({ works, operations, holder: name, log })
    const door = createDoor({ works, commands, runner, log, contextFor: createContexts(works, commands) })
    const chat = createChat({ works, door, commands, log, holder: name })
    const slack = createSlack({ ...common, door, chat })
    return { slack, store, chat }
  }
  const webs = [await web('web1'), await web('web2')] as const
  const door = createDoor({
    works: world.works,
    commands,
    runner: world.runner,
    log,
    contextFor: createContexts(world.works, commands),
  })
  const chat = createChat({
    works: { ...world.works, sleep: (ms) => sleep(ms) },
    door,
    commands,
    log,
    holder: 'worker',
  })
  // It only sends; what Slack says comes to the others.
  const worker = createSlack({ ...common, door, chat })
  try {
    const ada = await world.member('ada')
    await world.say(world.admin, 'user link ada slack:T1/UADA')
    const account = standIn.person('UADA', 'T1')
    await worker.start()
    chat.start(() => true)

    const lines = Array.from({ length: 12 }, (_, n) => `create web${n} --image debian`)
    const acks: number[] = []
    for (const line of lines) {
      const made = standIn.commandBody(account, line)
      // The same delivery reaches both at once: a proxy in front of them sends again what it believes lost.
      const at = Math.floor(standIn.now() / 1000)
      const send = async (one: (typeof webs)[number]) =>
        one.slack.fetch(
          new Request('https://dcm.example/slack/events', {
            method: 'POST',
            headers: {
              'content-type': 'application/x-www-form-urlencoded',
              'x-slack-request-timestamp': String(at),
              'x-slack-signature': standIn.sign(made.body, at),
            },
            body: made.body,
          }),
        )
      acks.push(...(await Promise.all(webs.map(send))).map((response) => response.status))
    }
    expect(acks).toEqual(acks.map(() => 200))
    const running = () => standIn.messages.filter((one) => /is running/.test(one.text))
    await until('all of them to run', () => running().length >= lines.length)
    await sleep(200)
    expect(world.host.fake.calls.filter((call) => call.method === 'engine.create')).toHaveLength(lines.length)
    expect(new Set((await world.store.containers.of(ada.id)).map((one) => one.name))).toEqual(
      new Set(lines.map((line) => line.split(' ')[1])),
    )
    expect(running()).toHaveLength(lines.length)
    expect(
      (await world.store.audit.read({ name: 'ada', limit: 100 }))
        .filter((row) => row.command === 'create')
        .map((row) => row.decision),
    ).toEqual(lines.map(() => 'done'))
    expect(standIn.violations).toEqual([])
  } finally {
    await chat.stop(1000)
    for (const one of webs) await one.store.close()
    await standIn.close()
  }
})
