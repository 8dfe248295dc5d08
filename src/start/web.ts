import { serveHttp } from '../adapters/http/index.ts'
import type { Config } from '../config.ts'
import { createLog } from '../log.ts'
import { openWeb } from '../web.ts'
import { reach } from './reach.ts'

/** Runs a process that only answers HTTP, until a signal ends it. */
export async function serveWeb(config: Config, say: (line: string) => void): Promise<void> {
  const log = createLog({ level: config.logLevel })
  process.on('unhandledRejection', (err) => log.error({ err }, 'a promise was left alone'))
  const web = await reach(() => openWeb(config, log, say), say)
  const http = { ...web.http, fetch: web.fetch }
  const served = await serveHttp({ http, log, ...config.http })
  say(`DCM answers HTTP on http://${served.host}:${served.port}, and leaves all else to a worker on the same database.`)
  const signals = ['SIGTERM', 'SIGINT'] as const
  await Promise.race(signals.map((signal) => new Promise<void>((resolve) => process.once(signal, () => resolve()))))
  for (const signal of signals) process.on(signal, () => process.exit(1))
  log.info({}, 'stopping: no new calls, what is under way may end')
  await served.close(8000)
  await web.close()
}
