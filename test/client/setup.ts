import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createHttp, serveHttp, type Served } from '../../src/adapters/http/index.ts'
import { createLog } from '../../src/log.ts'
import { createStandInDoor } from '../stand-ins/door.ts'

export const tree = resolve(import.meta.dirname, '../..')
const entry = join(tree, 'src/client/main.ts')

/** How a program ended; `bytes` are those of `stdout`. */
export type Ran = { code: number | null; bytes: Buffer; stdout: string; stderr: string }
/** `under`: a program that runs it. */
type How = { env?: Record<string, string>; input?: string; under?: string[] }

/** Starts a program in an environment that holds nothing else. */
function startCommand(argv: string[], how: How) {
  const [command, ...args] = argv as [string, ...string[]]
  const child = spawn(command, args, {
    cwd: tree,
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      TERM: 'xterm',
      NODE_COMPILE_CACHE: join(tree, 'node_modules/.cache/dcm'),
      ...how.env,
    },
  })
  const out: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.on('error', () => {})
  child.stdin.end(how.input ?? '')
  const ended = new Promise<Ran>((done) =>
    child.on('close', (code) =>
      done({ code, bytes: Buffer.concat(out), stdout: Buffer.concat(out).toString(), stderr }),
    ),
  )
  return { child, ended, stderr: () => stderr, stdout: () => Buffer.concat(out).toString() }
}

/** Starts `dcm` with these words. */
export const startDcm = (words: string[], how: How = {}) =>
  startCommand([...(how.under ?? []), process.execPath, entry, ...words], how)

/** A stand-in door behind the real app, on a socket in a folder of its own and on loopback. */
export async function serveStandIn() {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-client-'))
  const socket = join(folder, 'dcm.sock')
  const stand = createStandInDoor()
  const log = createLog({ level: 'silent' })
  let served: Served | undefined
  async function start() {
    const http = createHttp({ door: stand.door, log, version: '1.2.3' })
    served = await serveHttp({ http, log, host: '127.0.0.1', port: 0, socket })
  }
  await start()
  return {
    ...stand,
    folder,
    socket,
    port: () => served!.port,
    dcm: (words: string[], how: How = {}) => startDcm(words, { ...how, env: { DCM_DATA_DIR: folder, ...how.env } }),
    run: (words: string[], how: How = {}): Promise<Ran> =>
      startDcm(words, { ...how, env: { DCM_DATA_DIR: folder, ...how.env } }).ended,
    /** Runs one line on a terminal of its own, with this typed into it; all that it shows is in `stdout`. */
    onTerminal(line: string, typed: string, env: Record<string, string> = {}) {
      const shell = `'${process.execPath}' '${entry}' ${line}`
      const started = startCommand(['script', '-q', '-e', '-c', shell, '/dev/null'], {
        input: typed,
        env: { DCM_DATA_DIR: folder, SHELL: '/bin/sh', ...env },
      })
      return Object.assign(started.ended, { stdout: started.stdout })
    },
    bash: (script: string) => startCommand(['bash', '--norc', '-c', script], { env: { DCM_DATA_DIR: folder } }).ended,
    start,
    stop: () => served!.close(100),
    async [Symbol.asyncDispose]() {
      await served!.close(0)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
