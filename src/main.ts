import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { serveHttp } from './adapters/http/index.ts'
import { readConfig } from './config.ts'
import { createDockerHost } from './core/host/docker/index.ts'
import { HostError } from './core/host/fault.ts'
import { createRunner } from './core/operation/runner.ts'
import { openEmbedded, openPostgres } from './core/store/open.ts'
import { createStore } from './core/store/store.ts'
import { startLoops } from './core/upkeep/loops.ts'
import { createLog } from './log.ts'
import { operations } from './operations/index.ts'
import { filesFolder } from './start/files.ts'
import { ensureAdmin, instanceOf, measureHost } from './start/first.ts'
import { takeFolder } from './start/lock.ts'
import { offerImages } from './start/offer.ts'
import { assemble } from './start/parts.ts'
import { reach } from './start/reach.ts'
import { doorKey, holderName, secretKey } from './start/secret.ts'
import { nextSteps, summary } from './start/summary.ts'
import { tellWorker } from './start/told.ts'
import { createWorks, hostId, random } from './start/works.ts'

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
if (config.role === 'web') {
  await (await import('./start/web.ts')).serveWeb(config, say)
  process.exit(0)
}

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

await store.hosts.ensure(hostId)
const host = createDockerHost({
  ...config,
  dataDir: await filesFolder(store, hostId, config.dataDir),
  id: hostId,
  instance,
  log,
  now: Date.now,
})
// Nothing is begun before it holds: what a container opens in between would be open.
const closed = host.net.ensureFirewall(true)
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
const key = secretKey(config.secretKey, config.dataDir)
const works = await createWorks({
  ...{ config, store, place, key, images: options.images },
  host(id) {
    if (id === hostId) return host
    throw new HostError('down', `This process does not know the host ${id}.`)
  },
})

await tellWorker(store, place, key)
const runner = createRunner({ works, operations, holder: life, log })
const { door, chat, hooks, http, slack, discord } = await assemble({ works, config, runner, holder: life, log, say })
for (const missing of await closed) log.warn({ missing }, 'the firewall is not as it should be; doctor says more')
const served = await serveHttp({
  http,
  log,
  ...config.http,
  socket: join(config.dataDir, 'dcm.sock'),
  onlyLocal: config.role === 'worker',
})
const sshServed = sshHeld && ssh.serveSsh(sshHeld, { ...config.ssh!, door, log, hostKey: sshKey!.privateKey, version })
const address = config.role === 'worker' ? config.publicUrl : `http://${served.host}:${served.port}`
folder.announce({
  ssh: sshHeld ? `${sshHeld.host}:${sshHeld.port}` : null,
  pid: process.pid,
  http: address,
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
  // What cannot end well must not keep the rest from ending.
  const parts = await Promise.allSettled([
    served.close(8000),
    sshServed?.close(8000),
    slack?.stop(),
    discord?.stop(),
    runner.stop(8000),
    chat.stop(8000),
    loops?.stop(),
  ])
  for (const part of parts) if (part.status === 'rejected') log.warn({ err: part.reason }, 'a part did not end well')
  host.close()
  await store.close().catch((err: unknown) => log.warn({ err }, 'the database did not end well'))
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
  http: address,
}
for (const line of summary(facts)) say(line)
for (const line of nextSteps(
  facts,
  await store.people.byName('admin').then((admin) => (admin ? store.keys.of(admin.id) : [])),
))
  say(line)
// It is kept for the next start when a process ends well; this one may be killed.
flushCompileCache()
