import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { until } from '../../setup/until.ts'

const tree = join(import.meta.dirname, '../../..')

/** A real process that only answers HTTP, on any free port. */
export type WebProcess = AsyncDisposable & { url: string; logs(): string; stop(): Promise<number | null> }

/** Starts one. `env` has to say which database and key it shares; whatever else is set for somebody's own DCM is not passed on. */
export async function startWeb(env: Record<string, string>): Promise<WebProcess> {
  const own = Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  )
  const child = spawn(process.execPath, ['--import', './src/preload.ts', 'src/main.ts'], {
    cwd: tree,
    env: { ...own, DCM_ROLE: 'web', DCM_HTTP_ADDR: '127.0.0.1:0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended()
    clearTimeout(late)
    return child.exitCode
  }
  try {
    const url = await until('a web process to listen', () => {
      if (child.exitCode !== null) throw new Error(`It ended at once: ${said}`)
      return /^DCM answers HTTP on (http:\S+),/m.exec(said)?.[1]
    })
    return { url, logs: () => said, stop, [Symbol.asyncDispose]: async () => void (await stop()) }
  } catch (error) {
    await stop()
    throw error
  }
}
