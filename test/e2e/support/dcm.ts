import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sharedSocket } from '../../setup/engine.ts'
import { placeDatabase } from '../../setup/embedded.ts'
import { createDatabase } from '../../setup/postgres.ts'
import { ask, type Asked, type Said } from './ask.ts'
import { clearEngine, lookAt } from './engine.ts'
import { keepImage, type Offered, offeredFolder } from './images.ts'
import { addMember, type Member, type Ran, runProgram } from './member.ts'
import { until } from '../../setup/until.ts'

const tree = join(import.meta.dirname, '../../..')
const exec = promisify(execFile)

export type DcmOptions = {
  env?: Record<string, string>
  /** Socket that DCM is given, for instance a proxy's; the shared engine's when absent. */
  dockerHost?: string
  /** Socket of the engine behind it, for looking and for cleaning up. */
  engine?: string
  /** A PostgreSQL of the caller's. */
  databaseUrl?: string
  /** What it keeps its state in, when the caller has none: a PostgreSQL of its own, which costs least, unless another is said. */
  database?: 'embedded'
  /** Kept by the caller; one of its own below /tmp when absent, removed at the end. */
  dataDir?: string
  /** First words of a command line that DCM and ssh run under: those of a private engine. */
  enter?: string[]
  /** Those that ssh and its kin run under, where they are others. */
  client?: string[]
  offers?: Offered
  /** Resolve as soon as DCM answers, where it cannot become ready. */
  unready?: boolean
}

/** How a command is given. `wait` in seconds. */
export type Running = { as?: string; token?: string; yes?: boolean; wait?: number; key?: string }

/** A real DCM process with a data folder of its own. */
export type Dcm = AsyncDisposable & {
  readonly url: string
  readonly dataDir: string
  readonly socket: string
  /** Socket of the engine, past any proxy. */
  readonly engine: string
  readonly databaseUrl: string | undefined
  pid(): number
  /** A command as `admin`, or with a token, over the local socket; a refusal is an answer. @throws when nobody answers */
  run<T = unknown>(words: string | string[], options?: Running): Promise<Said<T>>
  /** The same, where only success will do. @throws with the refusal's sentence */
  must<T = unknown>(words: string | string[], options?: Running): Promise<Said<T>>
  /** The real `bin/dcm`. */
  cli(words: string[], options?: { env?: Record<string, string>; input?: string }): Promise<Ran>
  http(path: string, asked?: Asked): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>
  member(name: string, options?: { admin?: boolean }): Promise<Member>
  /** The instance id, which is in every engine name. */
  instance(): string
  /** Waits until it answers, is ready and has nothing open. */
  settled(seconds?: number): Promise<void>
  ready(): Promise<{ ready: boolean; settled: boolean; open: number; problems: string[] }>
  kill9(): Promise<void>
  /** Starts again after a stop or kill, and waits until settled. */
  restart(options?: { unready?: boolean }): Promise<void>
  /** Sends SIGTERM and waits. @returns the exit code, null when it had to be killed */
  stop(): Promise<number | null>
  /** What it has logged in all of its lives. */
  logs(): Promise<string>
}

/** What someone has set for their own DCM is not for tests. */
const foreign = /^(DCM_|SLACK_|DISCORD_|DATABASE_URL$|DOCKER_|LOG_LEVEL$|PG)/

/** Starts a real DCM on a free port and waits until it has settled; disposing removes all that it made. */
export async function startDcm(options: DcmOptions = {}): Promise<Dcm> {
  const home = await mkdtemp(join(tmpdir(), 'dcm-e2e-'))
  // A DCM that is not root reads the images from here.
  await chmod(home, 0o711)
  const dataDir = options.dataDir ?? join(home, 'data')
  await mkdir(dataDir, { recursive: true })
  // A data folder of the caller's holds its own, and from within a network of its own no PostgreSQL is reached.
  const kind = options.databaseUrl
    ? 'given'
    : options.dataDir || options.enter
      ? 'made'
      : (options.database ?? 'postgres')
  // One that it would make itself takes seconds of a processor.
  if (kind === 'embedded') await placeDatabase(dataDir)
  const database = kind === 'postgres' ? await createDatabase() : undefined
  const databaseUrl = options.databaseUrl ?? database?.url
  const engine = options.engine ?? options.dockerHost ?? sharedSocket
  const enter = options.enter ?? []
  const client = options.client ?? enter
  const socket = join(dataDir, 'dcm.sock')
  const images = await offeredFolder(options.offers ?? 'debian', home)
  const logFile = join(home, 'log')
  let child: ChildProcess | undefined
  let url = ''
  let instance = ''

  async function launch(unready: boolean): Promise<void> {
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
      NODE_COMPILE_CACHE: join(tree, 'node_modules/.cache/dcm'),
      DCM_DATA_DIR: dataDir,
      DCM_HTTP_ADDR: '127.0.0.1:0',
      DCM_SSH_ADDR: '127.0.0.1:0',
      // What it would have to ask apt for takes as long as the rest of a start.
      DCM_EGRESS_ALLOW: 'none',
      DOCKER_HOST: `unix://${options.dockerHost ?? engine}`,
      ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
      ...options.env,
    }
    // As scripts/start starts it.
    const node = [process.execPath, '--max-semi-space-size=4', '--import', './src/preload.ts', 'src/main.ts']
    const words = [...enter, ...node, '--images', images]
    const before = (await logs()).length
    const log = openSync(logFile, 'a')
    child = spawn(words[0]!, words.slice(1), { cwd: tree, env, stdio: ['ignore', log, log] })
    closeSync(log)
    const mine = child
    await until('DCM to answer', async () => {
      if (mine.exitCode !== null || mine.signalCode !== null) throw new Error(`DCM ended at once: ${await logs()}`)
      return ask({ socket }, '/healthz').then(
        (answer) => answer.status === 200,
        () => false,
      )
    })
    const announced = await until('DCM to say where it is', async () => {
      const said = await readFile(join(dataDir, 'dcm.pid'), 'utf8').catch(() => '{}')
      const told = JSON.parse(said || '{}') as { pid?: number; http: string; instance: string }
      return told.pid === mine.pid ? told : undefined
    })
    url = announced.http
    instance = announced.instance
    if (unready) return
    // Its last words when it starts: the images are there by then.
    await until(
      'DCM to say that it runs',
      async () => {
        if (mine.exitCode !== null) throw new Error(`DCM ended: ${await logs()}`)
        return /^DCM .* is running\.$/m.test((await logs()).slice(before))
      },
      180,
    )
    await settled()
  }

  const logs = () => readFile(logFile, 'utf8').catch(() => '')
  const ended = async (mine: ChildProcess) => {
    if (mine.exitCode === null && mine.signalCode === null) await once(mine, 'exit')
  }

  async function ready() {
    return JSON.parse((await ask({ socket }, '/readyz')).text) as Awaited<ReturnType<Dcm['ready']>>
  }

  async function settled(seconds = 90): Promise<void> {
    let last: unknown
    await until(
      'DCM to settle',
      async () => {
        last = await ready().catch((error: unknown) => error)
        const now = last as Awaited<ReturnType<typeof ready>>
        return now.ready === true && now.settled
      },
      seconds,
    ).catch(async (error: unknown) => {
      throw new Error(
        `${String(error)} It says ${JSON.stringify(last)}. Its log ends: ${(await logs()).slice(-2000)}`,
        { cause: error },
      )
    })
  }

  async function run<T>(words: string | string[], given: Running = {}): Promise<Said<T>> {
    const list = typeof words === 'string' ? words.split(' ') : words
    const line = [...list]
    // What comes after "--" is the container's own.
    const at = line.includes('--') ? line.indexOf('--') : line.length
    line.splice(at, 0, ...(given.as ? ['--as', given.as] : []), ...(given.yes ? ['--yes'] : []))
    const answer = await ask({ socket }, '/v1/line', {
      method: 'POST',
      token: given.token,
      body: { words: line, wait: given.wait ?? 120 },
      ...(given.key ? { headers: { 'idempotency-key': given.key } } : {}),
    })
    return { ...(JSON.parse(answer.text) as Said<T>), status: answer.status }
  }

  const dcm: Dcm = {
    get url() {
      return url
    },
    dataDir,
    socket,
    engine,
    databaseUrl,
    pid: () => child?.pid ?? 0,
    run,
    async must<T>(words: string | string[], given?: Running) {
      const said = await run<T>(words, given)
      if (said.error)
        throw new Error(`${typeof words === 'string' ? words : words.join(' ')}: ${said.error}: ${said.text}`)
      return said
    },
    cli(words, { env = {}, input } = {}) {
      const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
      return runProgram(join(tree, 'bin/dcm'), words, input, { ...clean, DCM_DATA_DIR: dataDir, ...env })
    },
    http: (path, asked) => ask(client.length > 0 ? { socket } : { url }, path, asked),
    member: (name, { admin = false } = {}) => addMember(dcm, home, client, name, admin),
    instance: () => instance,
    settled,
    ready,
    async kill9() {
      child!.kill('SIGKILL')
      await ended(child!)
    },
    async restart({ unready = false } = {}) {
      await ended(child!)
      await launch(unready)
    },
    async stop() {
      if (!child) return null
      child.kill('SIGTERM')
      const late = setTimeout(() => child!.kill('SIGKILL'), 30_000)
      await ended(child)
      clearTimeout(late)
      return child.exitCode
    },
    logs,
    async [Symbol.asyncDispose]() {
      await dcm.stop()
      if (instance) await clearEngine(engine, instance).catch(() => undefined)
      const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
      for (const mount of mounts.filter((path) => path.startsWith(`${dataDir}/`)).toReversed())
        await exec('umount', ['-l', mount]).catch(() => undefined)
      await database?.[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }

  try {
    await launch(options.unready ?? false)
    if (engine === sharedSocket && !options.unready) {
      const [tag] = (await lookAt(engine, instance)).tags
      if (tag && (options.offers ?? 'debian') === 'debian') await keepImage(tag)
    }
    return dcm
  } catch (error) {
    await dcm[Symbol.asyncDispose]()
    throw error
  }
}
