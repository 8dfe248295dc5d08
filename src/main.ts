import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createHookRoute, createHttp, serveHttp } from './adapters/http/index.ts'
import { commands } from './commands/index.ts'
import { readConfig } from './config.ts'
import { createChat } from './core/chat/chat.ts'
import { createContexts } from './core/door/context.ts'
import { createDoor } from './core/door/create.ts'
import { createDockerHost } from './core/host/docker/index.ts'
import { createHooks } from './core/hooks/receive.ts'
import { HostError } from './core/host/host.ts'
import type { Works } from './core/operation/define.ts'
import { createRunner } from './core/operation/runner.ts'
import { createSeal } from './core/secret/seal.ts'
import { openEmbedded, openPostgres } from './core/store/open.ts'
import { createStore } from './core/store/store.ts'
import { startLoops } from './core/upkeep/loops.ts'
import { createLog } from './log.ts'
import { operations } from './operations/index.ts'
import { filesFolder } from './start/files.ts'
import { ensureAdmin, instanceOf, measureHost } from './start/first.ts'
import { takeFolder } from './start/lock.ts'
import { offerImages } from './start/offer.ts'
import { reach } from './start/reach.ts'
import { doorKey, holderName, secretKey } from './start/secret.ts'
import { nextSteps, summary } from './start/summary.ts'

const tree = join(import.meta.dirname, '..')
const { version } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as { version: string }
/** Where the offered images are made from; a test may say another folder. */
const { values: options } = parseArgs({ options: { images: { type: 'string', default: join(tree, 'images') } } })
const say = (line: string) => process.stdout.write(`${line}\n`)

const read = readConfig(process.env, process.getuid?.() === 0)
if ('problems' in read) {
  for (const problem of read.problems) process.stderr.write(`${problem}\n`)
  process.exit(78)
}
const { config } = read
process.umask(0o077)

const took = await takeFolder(config.dataDir)
if ('taken' in took) {
  say(
    `DCM already serves ${config.dataDir}: pid ${took.taken?.pid ?? 'unknown'}, ${took.taken?.http ?? config.publicUrl}.`,
  )
  process.exit(0)
}
const folder = took

const log = createLog({ level: config.logLevel })
process.on('unhandledRejection', (err) => log.error({ err }, 'a promise was left alone'))

const random = (bytes: number) => randomBytes(bytes)
const holder = holderName(config.dataDir)
const life = `${holder}.${process.pid}.${Date.now()}`

const { databaseUrl } = config
const store = createStore(
  await reach(() => (databaseUrl ? openPostgres(databaseUrl) : openEmbedded(join(config.dataDir, 'database'))), say),
)
const instance = await instanceOf(store, random)
// This folder's earlier lives are dead, for this one holds it: what they held is free at once.
await store.operations.abandon(`${holder}.`)
await store.leases.abandon(`${holder}.`)
await store.outbox.abandon(`${holder}.`)
await store.deliveries.abandon(`${holder}.`)
await store.sessions.abandon(`${holder}.`)
await ensureAdmin(store, random, config.adminKey)

const hostId = 'local'
await store.hosts.ensure(hostId)
const host = createDockerHost({
  ...config,
  dataDir: await filesFolder(store, hostId, config.dataDir),
  id: hostId,
  instance,
  log,
  now: Date.now,
})
const ssh = config.ssh && (await import('./adapters/ssh/index.ts'))
const sshKey = ssh && doorKey(config.dataDir)
const sshHeld = ssh && (await ssh.listenSsh(config.ssh!).catch(noSsh))
const place = {
  ...(sshHeld && sshKey
    ? { ssh: { port: sshHeld.port, hostKey: sshKey.publicKey, fingerprint: sshKey.fingerprint } }
    : {}),
  publicHost: config.publicHost,
  bindHost: config.bindHost,
  publicUrl: config.publicUrl,
  version,
  instance,
}
const works: Works = {
  store,
  host(id) {
    if (id === hostId) return host
    throw new HostError('down', `This process does not know the host ${id}.`)
  },
  seal: createSeal(secretKey(config.secretKey, config.dataDir)),
  place,
  settings: {
    hostId,
    ports: config.ports,
    subnetPool: config.subnetPool,
    signup: config.signup,
    ...(config.idleStop === undefined ? {} : { idleStop: config.idleStop }),
    ...(config.adminChannel ? { adminChannel: config.adminChannel } : {}),
  },
  now: () => new Date(),
  random,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

const runner = createRunner({ works, operations, holder: life, log })
const door = createDoor({
  works,
  commands,
  runner,
  log,
  contextFor: createContexts(works, commands),
  holder: life,
  ...(config.ssh ? { perMember: config.ssh.perMember } : {}),
})
const http = createHttp({ door, log, version, publicUrl: config.publicUrl, trustProxy: config.trustProxy })
const hooks = createHooks({ works, commands, holder: life, log, handle: door.handle })
http.mount('/v1/hooks', createHookRoute(hooks))
const chat = createChat({ works, door, commands, log, holder: life })
const slack =
  config.slack &&
  (await import('./adapters/slack/index.ts')).createSlack({
    ...config.slack,
    door,
    chat,
    log,
    publicUrl: config.publicUrl,
  })
if (slack) {
  http.mount('/slack', slack.fetch)
  for (const problem of slack.problems) {
    log.error({ problem }, 'Slack lacks something; the rest of DCM serves')
    say(problem)
  }
}
const discord =
  config.discord && (await import('./adapters/discord/index.ts')).createDiscord({ ...config.discord, door, chat, log })
if (discord) {
  http.mount('/discord', discord.fetch)
  for (const problem of discord.problems()) {
    log.error({ problem }, 'Discord is not wholly configured')
    say(problem)
  }
}
const served = await serveHttp({ http, log, ...config.http, socket: join(config.dataDir, 'dcm.sock') })
const sshServed = sshHeld && ssh.serveSsh(sshHeld, { ...config.ssh!, door, log, hostKey: sshKey!.privateKey, version })
folder.announce({
  ssh: sshHeld ? `${sshHeld.host}:${sshHeld.port}` : null,
  pid: process.pid,
  http: `http://${served.host}:${served.port}`,
  tree,
  instance,
})

/** An address that nobody asked for may be taken; one that was asked for has to be had. */
function noSsh(error: NodeJS.ErrnoException): undefined {
  const { host, port, given } = config.ssh!
  const words = `The SSH door cannot listen on ${host}:${port} (${error.code}); set DCM_SSH_ADDR to another address, or to off.`
  if (!given) {
    log.warn({ err: error }, words)
    say(words)
    return undefined
  }
  process.stderr.write(`${words}\n`)
  folder.release()
  process.exit(78)
}

let loops: ReturnType<typeof startLoops> | undefined = undefined
let stopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => {
    if (stopping) process.exit(1)
    stopping = true
    void stop()
  })

async function stop(): Promise<void> {
  log.info({}, 'stopping: no new calls, what is under way may end')
  hooks.stop()
  await Promise.all([
    served.close(8000),
    sshServed?.close(8000),
    slack?.stop(),
    discord?.stop(),
    runner.stop(8000),
    chat.stop(8000),
    loops?.stop(),
  ])
  host.close()
  await store.close()
  folder.release()
  process.exit(0)
}

const engine = await measureHost(store, host).catch((error: unknown) => {
  if (!(error instanceof HostError)) throw error
  log.warn({ err: error }, 'Docker does not answer yet; DCM serves and waits for it')
  return undefined
})
loops = startLoops({ works, runner, log }, life)
chat.start(loops.leading)
void slack?.start()
discord?.start()
hooks.start()
if (engine)
  await offerImages({ works, runner, folder: options.images, say }).catch((err: unknown) => {
    log.error({ err }, 'an offered image could not be made')
    say('An offered image could not be built; the log says why, and the next start tries again.')
  })

const facts = {
  tree,
  config,
  place,
  database: store.kind,
  engine: engine?.version,
  http: `http://${served.host}:${served.port}`,
}
for (const line of summary(facts)) say(line)
for (const line of nextSteps(
  facts,
  await store.people.byName('admin').then((admin) => (admin ? store.keys.of(admin.id) : [])),
))
  say(line)
