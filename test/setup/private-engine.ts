import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, open as openFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { ask, open, sharedSocket } from './engine.ts'
import { until } from './until.ts'

const run = promisify(execFile)

/** A Docker Engine of a test's own, which it may stop, kill, freeze and fill up. */
export type PrivateEngine = AsyncDisposable & {
  /** For `DOCKER_HOST`, with `unix://` before it. */
  socket: string
  /** A folder for DCM's data: what is mounted below it later is seen by the engine too. */
  data: string
  /** First words of a command line that runs in the engine's network, where its bridges and published ports are. */
  enter: string[]
  start(): Promise<void>
  /** Asks the engine to end, as a service manager does. */
  stop(): Promise<void>
  /** Its containers live on when it was started with `liveRestore`. */
  kill9(): Promise<void>
  /** The engine keeps its connections and answers nothing, until `thaw`. */
  freeze(): Promise<void>
  thaw(): void
  /** Copies an image from the engine that tests share. */
  load(image: string): Promise<void>
}

export type PrivateOptions = {
  liveRestore?: boolean
  /** Bytes of a disk of its own for images and containers, so that a test can fill it. */
  disk?: number
  /** Containers' root is uid 231072 of the host. */
  remap?: boolean
  images?: string[]
}

const prefix = 'dcm-private-engine-'

const childOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0])

/** The process that a file of the folder names, if it lives: pids are used again, so its command line must fit. */
async function noted(folder: string, name: 'init' | 'launcher', line: string): Promise<number | undefined> {
  const pid = Number(await readFile(join(folder, `${name}.pid`), 'utf8').catch(() => '0'))
  const found = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return pid > 1 && found.includes(join(folder, line)) ? pid : undefined
}

/** Signals a process that may end at any moment. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Ends every process of a private engine and removes its mounts and files. Repeatable. */
async function removeAll(folder: string): Promise<void> {
  const init = await noted(folder, 'init', 'init.sh')
  if (init) {
    // On cgroup v1 a paused process does not die of SIGKILL until it is thawed.
    const frozen = join('/sys/fs/cgroup/freezer', cgroup(folder))
    for (const name of await readdir(frozen).catch(() => []))
      await writeFile(join(frozen, name, 'freezer.state'), 'THAWED').catch(() => {})
    send(init, 'SIGKILL')
    // nsenter stops with the engine that it started, and must go on to see it end.
    const launcher = await noted(folder, 'launcher', 'daemon.json')
    if (launcher) send(launcher, 'SIGCONT')
    await until('the private engine to end', () => !existsSync(`/proc/${init}`))
  }
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse())
    await run('umount', ['--lazy', mount])
  await removeCgroups(cgroup(folder))
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

const cgroup = (folder: string) => `/${folder.split('/').at(-1)}`

/** Control groups outlive the namespaces that they were made from. */
async function removeCgroups(name: string): Promise<void> {
  for (const kind of await readdir('/sys/fs/cgroup').catch(() => [])) {
    for (const root of [join('/sys/fs/cgroup', kind, name), join('/sys/fs/cgroup', name)])
      if (existsSync(root))
        await run('find', [root, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']).catch(() => {})
  }
}

/** Removes what a killed test run left behind. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue
    const owner = Number(await readFile(join(tmpdir(), name, 'owner'), 'utf8').catch(() => '0'))
    if (owner > 0 && !existsSync(`/proc/${owner}`)) await removeAll(join(tmpdir(), name))
  }
}

/**
 * Starts a second Docker Engine with its own processes, network, mounts, images and containers. Needs root.
 * It hangs on one process, the first of a pid namespace: when that dies, all of it dies.
 */
export async function startPrivateEngine(options: PrivateOptions = {}): Promise<PrivateEngine> {
  await sweep()
  const folder = await mkdtemp(join(tmpdir(), prefix))
  // Remapped root has to pass through on its way to images and storages.
  await chmod(folder, 0o711)
  await writeFile(join(folder, 'owner'), String(process.pid))
  const socket = join(folder, 'docker.sock')
  const data = join(folder, 'data')
  const images = join(folder, 'images')
  const disk = join(folder, 'disk')
  await mkdir(data)
  await mkdir(images)
  if (options.disk) {
    await writeFile(disk, '')
    await truncate(disk, options.disk)
    await run('mkfs.ext4', ['-q', '-F', disk])
  }
  await writeFile(join(folder, 'subid'), 'nobody:231072:65536\nnogroup:231072:65536\n')
  await writeFile(
    join(folder, 'daemon.json'),
    JSON.stringify({
      hosts: [`unix://${socket}`],
      'data-root': images,
      'exec-root': join(folder, 'exec'),
      pidfile: join(folder, 'docker.pid'),
      bip: '10.211.0.1/24',
      'default-address-pools': [{ base: '10.212.0.0/16', size: 26 }],
      'cgroup-parent': cgroup(folder),
      'exec-opts': ['native.cgroupdriver=cgroupfs'],
      'live-restore': options.liveRestore ?? false,
      'no-new-privileges': true,
      ...(options.remap ? { 'userns-remap': 'nobody:nogroup' } : {}),
    }),
  )
  // A machine's own containerd must not be found: a daemon without one starts its own, which dies with it.
  await writeFile(
    join(folder, 'init.sh'),
    `set -e
ip link set lo up
for name in /run/containerd /run/docker; do if [ -d $name ]; then mount -t tmpfs tmpfs $name; fi; done
for name in subuid subgid; do mount --bind ${folder}/subid /etc/$name; done
${options.disk ? `mount -o loop ${disk} ${images}` : ''}
touch ${folder}/ready
while :; do sleep 3600 & wait $!; done
`,
  )
  await run('mount', ['--bind', data, data])
  await run('mount', ['--make-shared', data])

  const namespaces = ['--net', '--pid', '--mount', '--fork', '--kill-child', '--mount-proc', '--propagation', 'slave']
  const log = await openFile(join(folder, 'engine.log'), 'a')
  const stdio: ['ignore', number, number] = ['ignore', log.fd, log.fd]
  const holder = spawn('unshare', [...namespaces, 'sh', join(folder, 'init.sh')], { stdio, detached: true })
  const ended = once(holder, 'exit')
  const init = await until('a namespace', () => holder.exitCode === null && childOf(holder.pid ?? 0))
  await writeFile(join(folder, 'init.pid'), String(init))

  let launcher: ChildProcess | undefined
  const pid = () => {
    if (!launcher?.pid || launcher.exitCode !== null) throw new Error('The private engine does not run.')
    return childOf(launcher.pid)
  }
  const answers = () =>
    open(socket, 'GET', '/_ping').then(
      async (answer) => (await text(answer)) === 'OK',
      () => false,
    )
  const end = async (signal: NodeJS.Signals) => {
    const gone = launcher && once(launcher, 'exit')
    process.kill(pid(), signal)
    await gone
    // The next one must not take the pid file of a killed one for a living engine's.
    for (const name of ['docker.pid', 'exec/containerd/containerd.pid']) await rm(join(folder, name), { force: true })
  }

  const engine: PrivateEngine = {
    socket,
    data,
    enter: ['nsenter', `--net=/proc/${init}/ns/net`, '--'],
    async start() {
      const into = ['--target', String(init), '--root', '--net', '--pid', '--mount', '--']
      launcher = spawn('nsenter', [...into, 'dockerd', '--config-file', join(folder, 'daemon.json')], {
        stdio,
        detached: true,
      })
      await writeFile(join(folder, 'launcher.pid'), String(launcher.pid))
      await until('the private engine to answer', async () => {
        if (launcher?.exitCode !== null) throw new Error(await readFile(join(folder, 'engine.log'), 'utf8'))
        return answers()
      })
    },
    stop: () => end('SIGTERM'),
    kill9: () => end('SIGKILL'),
    async freeze() {
      process.kill(pid(), 'SIGSTOP')
      // Each thread stops on its own, and one that has not yet may still answer.
      await until('every thread to stop', async () => {
        const tasks = await readdir(`/proc/${pid()}/task`)
        const states = await Promise.all(tasks.map((task) => readFile(`/proc/${pid()}/task/${task}/status`, 'utf8')))
        return states.every((status) => /^State:\s+T/m.test(status))
      })
    },
    thaw: () => {
      process.kill(pid(), 'SIGCONT')
      if (launcher?.pid) process.kill(launcher.pid, 'SIGCONT')
    },
    async load(image) {
      const archive = await open(sharedSocket, 'GET', `/images/get?names=${encodeURIComponent(image)}`)
      const answer = await open(socket, 'POST', '/images/load?quiet=1', archive, 'application/x-tar')
      const said = await text(answer)
      if (answer.statusCode !== 200 || said.includes('"error"')) throw new Error(`Cannot load ${image}: ${said}`)
      await ask(socket, 'GET', `/images/${image}/json`)
    },
    async [Symbol.asyncDispose]() {
      await removeAll(folder)
      await ended
      await log.close()
    },
  }
  try {
    await until('the namespaces to be ready', () => existsSync(join(folder, 'ready')))
    await engine.start()
    for (const image of options.images ?? []) await engine.load(image)
    return engine
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}
