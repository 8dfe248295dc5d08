import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Http, Origin } from './adapters/http/index.ts'
import { type Config, readConfig } from './config.ts'
import { createAbsentHost } from './core/host/absent.ts'
import { newId } from './core/model/id.ts'
import { systemAsker } from './core/operation/asker.ts'
import { createRunner } from './core/operation/runner.ts'
import { openPostgres } from './core/store/open.ts'
import { createStore } from './core/store/store.ts'
import type { Log } from './core/model/log.ts'
import { createLog } from './log.ts'
import { operations } from './operations/index.ts'
import { createBackground } from './start/background.ts'
import { instanceOf } from './start/first.ts'
import { assemble } from './start/parts.ts'
import { readWorker } from './start/told.ts'
import { createWorks, hostId, random } from './start/works.ts'

/** What a host says of one request. */
export type Hosted = Origin & {
  /** For hosts that stop a process once it has answered: gets what goes on after the answer. */
  waitUntil?(work: Promise<unknown>): void
}

/**
 * The HTTP side of DCM: API, webhooks, Slack and Discord by HTTP. It keeps nothing that another process could not have
 * from the database, so that any number may answer at once and each may end at any time.
 */
export type Web = {
  fetch(request: Request, hosted?: Hosted): Promise<Response>
  /** The same app, for a server that closes it. */
  http: Http
  /** Lets what is under way end, and closes the database. */
  close(): Promise<void>
}

const tree = join(import.meta.dirname, '..')

/** How long what the worker has written down is taken for true. */
const fresh = 60_000

/** How long a change waits for the worker to bring keys and secrets into containers; it is stored by then. */
const patience = 5000

/** Opens the HTTP side on the database of `config`. @throws Error when it cannot be reached or is another key's */
export async function openWeb(
  config: Config,
  log: Log = createLog({ level: config.logLevel }),
  say: (line: string) => void = () => undefined,
): Promise<Web> {
  const { databaseUrl, secretKey } = config
  if (!databaseUrl || !secretKey)
    throw new Error('DATABASE_URL and DCM_SECRET_KEY are needed: the processes share them.')
  const { version } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as {
    version: string
  }
  const store = createStore(await openPostgres(databaseUrl))
  try {
    const place = {
      publicHost: config.publicHost,
      bindHost: config.bindHost,
      publicUrl: config.publicUrl,
      version,
      instance: await instanceOf(store, random),
      ...(await readWorker(store, secretKey)),
    }
    await store.hosts.ensure(hostId)
    const holder = `web-${newId(random)}.${process.pid}.${Date.now()}`
    const works = await createWorks({
      ...{ config, store, place, key: secretKey, images: join(tree, 'images') },
      host: (id) => createAbsentHost(id, renew),
    })
    const runner = createRunner({ works, operations, holder, log, storesOnly: true })
    async function renew(containerId: string): Promise<void> {
      const asker = systemAsker(random, 'renew', { ownerId: null, target: null })
      const id = await runner.begin('renew', { containerId }, asker)
      await runner.wait(id, { wait: patience })
    }
    const background = createBackground()
    const parts = await assemble({
      works,
      config,
      runner,
      holder,
      log,
      say,
      storesOnly: true,
      background: background.add,
    })
    let readAt = performance.now()
    async function readAgain(): Promise<void> {
      readAt = performance.now()
      Object.assign(place, await readWorker(store, secretKey!))
    }
    return {
      http: parts.http,
      async fetch(request, { waitUntil, ...origin } = {}) {
        if (performance.now() - readAt > fresh)
          background.add(readAgain().catch((err: unknown) => log.warn({ err }, 'the worker could not be looked up')))
        const response = await parts.http.fetch(request, origin)
        waitUntil?.(background.idle())
        return response
      },
      async close() {
        parts.http.stop()
        parts.hooks.stop()
        await Promise.race([background.idle(), works.sleep(8000)])
        await Promise.all([parts.slack?.stop(), parts.discord?.stop(), runner.stop(0), parts.chat.stop(0)])
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

let opened: Promise<Web> | undefined

/**
 * The whole HTTP side as one function, configured by the environment as every process is (`DCM_ROLE` is `web`
 * whatever it says). It opens at the first request, and anew after a failure.
 */
export async function fetch(request: Request, hosted?: Hosted): Promise<Response> {
  opened ??= openOnce()
  const mine = opened
  let web: Web
  try {
    web = await mine
  } catch (error) {
    if (opened === mine) opened = undefined
    const text = error instanceof Misconfigured ? 'DCM is not configured here; its log says what is missing.' : away
    return Response.json(
      { text, tone: 'error', error: 'unavailable' },
      { status: 503, headers: { 'Retry-After': '5' } },
    )
  }
  return web.fetch(request, hosted)
}

const away = 'DCM does not reach its database; try again in a minute.'

async function openOnce(): Promise<Web> {
  const read = readConfig({ ...process.env, DCM_ROLE: 'web' }, false)
  if ('config' in read) return openWeb(read.config)
  const log = createLog({ level: 'info' })
  for (const problem of read.problems) log.error({ problem }, 'DCM is not configured')
  throw new Misconfigured()
}

class Misconfigured extends Error {
  override readonly name = 'Misconfigured'
}
