import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './host.ts'
import { until } from './until.ts'

/** Debian's registry; scripts/setup fetches it. */
const program = '/usr/local/lib/dcm-test/docker-registry'

/** The one account of a registry with a lock, and its line of an htpasswd file (bcrypt, as the registry wants it). */
export const account = { username: 'al', password: 'correct horse' }
const htpasswd = 'al:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n'

export type Registry = AsyncDisposable & {
  /** `127.0.0.1:PORT`, which the engine speaks plain HTTP to. Docker docs, "Insecure registries": 127.0.0.0/8. */
  host: string
  /** All that it has logged. */
  log(): string
}

/** Starts a registry of its own on loopback, over a folder that goes with it. */
export async function startRegistry({ locked = false } = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-registry-'))
  const host = `127.0.0.1:${freePorts(1)}`
  await writeFile(join(folder, 'htpasswd'), htpasswd)
  await writeFile(
    join(folder, 'config.yml'),
    JSON.stringify({
      version: 0.1,
      log: { level: 'info' },
      storage: { filesystem: { rootdirectory: join(folder, 'data') } },
      http: { addr: host },
      ...(locked ? { auth: { htpasswd: { realm: 'dcm', path: join(folder, 'htpasswd') } } } : {}),
    }),
  )
  const child: ChildProcess = spawn(program, ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data: Buffer) => (log += data.toString()))
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  const answers = () =>
    fetch(`http://${host}/v2/`).then(
      (answer) => answer.status === (locked ? 401 : 200),
      () => false,
    )
  const up = (async () => {
    await until('the registry', () => {
      if (child.exitCode !== null) throw new Error(`The registry does not come up: ${log.slice(-500)}`)
      return answers()
    })
  })()
  await Promise.race([up, failed])
  return {
    host,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
