import { execFile } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDockerHost, type DockerHostOptions } from '../../src/core/host/docker/index.ts'
import { run } from '../../src/core/host/docker/program.ts'
import { commandExit } from '../../src/core/host/exit.ts'
import type { ContainerWish, SeenImage } from '../../src/core/host/engine.ts'
import type { Host } from '../../src/core/host/host.ts'
import { createHostKey, type HostKey } from '../../src/core/secret/keys.ts'
import { until } from './until.ts'

/** A host over the engine that tests share, under an instance id and a data folder of its own. */
export type RealHost = {
  host: Host
  options: DockerHostOptions
  instance: string
  imageId: string
  data: string
  close(): Promise<void>
}

/**
 * Opens a host over a real engine, with a small image that holds sshd. `label` begins its instance id, which no other
 * run has.
 */
export async function createRealHost(
  label: string,
  options: { socket?: string; data?: string; egress?: string[]; image?: string } = {},
): Promise<RealHost> {
  const instance = `${label}${randomBytes(2).toString('hex')}`
  const data = options.data ?? (await mkdtemp(join(tmpdir(), `dcm-${instance}-`)))
  const settings: DockerHostOptions = {
    id: 'local',
    instance,
    dataDir: data,
    dockerHost: `unix://${options.socket ?? '/var/run/docker.sock'}`,
    bindHost: '127.0.0.1',
    egressAllow: options.egress ?? ['apt'],
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    now: Date.now,
  }
  const host = createDockerHost(settings)
  const image = options.image === undefined ? await buildTestImage(settings) : await host.engine.image(options.image)
  if (!image) throw new Error('The engine lacks the image.')
  return {
    host,
    options: settings,
    instance,
    imageId: image.engineId,
    data,
    async close() {
      for (const { ref } of await host.engine.imageTags()) await host.engine.untag(ref)
      host.close()
      // Members' folders may be deeper than a path can be long.
      await run('rm', ['-rf', '--one-file-system', '--', data])
    },
  }
}

export type Made = ContainerWish & { engineId: string; key: HostKey; port: number }

/** A member on a host: a network, a storage, and containers made and started as DCM makes them. */
export type TestMember = {
  ownerId: string
  network: string
  make(more?: Partial<ContainerWish>, authorizedKeys?: string): Promise<Made>
}

/** Ports and subnets that other runs on this machine hardly ever take at the same time. */
let nextPort = randomInt(21_000, 29_000)
export const freePorts = (count: number): number => (nextPort += count) - count
export const freeSubnet = (): string => `10.${randomInt(190, 198)}.${randomInt(1, 255)}`

/** Makes a member's network. */
export async function createMember(real: RealHost, ownerId: string): Promise<TestMember> {
  const network = `dcm-${real.instance}-net-${ownerId}`
  const bridge = `dcm${randomBytes(4).toString('hex')}`
  await real.host.engine.createNetwork({ name: network, bridge, subnet: `${freeSubnet()}.0/26`, ownerId })
  return {
    ownerId,
    network,
    async make(more = {}, authorizedKeys = '') {
      const id = `c${randomBytes(4).toString('hex')}`
      const [key, port] = [createHostKey(), freePorts(1)]
      const storage = await real.host.files.ensureStorage(ownerId, 32 * 1024 ** 2)
      const run = await real.host.files.placeRun({ id, hostKey: key.privateKey, authorizedKeys })
      const wish: ContainerWish = {
        engineName: `dcm-${real.instance}-${id}`,
        id,
        ownerId,
        name: id,
        network,
        imageId: real.imageId,
        env: [],
        command: [],
        restart: { name: 'no' },
        limits: { memory: 192 * 1024 ** 2, cpus: 1000, pids: 100 },
        caps: [],
        devices: [],
        seccomp: null,
        ports: [{ container: 22, proto: 'tcp', host: port }],
        mounts: { run, storage: storage.path },
        ssh: true,
        ...more,
      }
      const { engineId } = await real.host.engine.create(wish)
      await real.host.engine.start(engineId)
      return { ...wish, engineId, key, port }
    },
  }
}

/** Makes a container that a login's key opens, and waits until its sshd answers. */
export async function enterable(
  { host }: RealHost,
  member: TestMember,
  login: Login,
  more: Partial<ContainerWish> = {},
): Promise<Made> {
  const made = await member.make(more, `${login.line}\n`)
  const greeted = await host.net.greet(made.port, made.key.fingerprint, 20_000)
  if (!greeted.ok) throw new Error(`its sshd does not answer: ${greeted.why}`)
  return made
}

/** Removes all that was made on a host. */
export async function clearHost({ host }: RealHost): Promise<void> {
  for (const seen of await host.engine.list()) await host.engine.remove(seen.engineId)
  for (const { name, own } of await host.engine.networks()) if (own) await host.engine.removeNetwork(name)
  const { runs, storages } = await host.files.list()
  for (const id of runs) await host.files.removeRun(id)
  for (const id of storages) await host.files.removeStorage(id)
}

/** A container's log so far, both streams. */
export async function logOf(host: Host, engineId: string): Promise<string> {
  let text = ''
  for await (const chunk of host.engine.logs(engineId, {})) text += chunk.data.toString()
  return text
}

/** Waits until the command beside sshd has ended. @returns the log */
export async function commandEnd(host: Host, engineId: string): Promise<string> {
  return until('the command to end', async () => {
    const log = await logOf(host, engineId)
    return commandExit(log) !== null && log
  })
}

export type Login = { file: string; line: string }

/** A key pair for the real ssh client. */
export async function createLogin(folder: string): Promise<Login> {
  const file = join(folder, `login-${randomBytes(4).toString('hex')}`)
  await new Promise<void>((resolve, reject) =>
    execFile('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file], (error) =>
      error ? reject(new Error('ssh-keygen failed.', { cause: error })) : resolve(),
    ),
  )
  return { file, line: (await readFile(`${file}.pub`, 'utf8')).trim() }
}

export type Ran = { code: number; stdout: string; stderr: string }

/** Runs a command by the real ssh client, which insists on the container's own host key. */
export async function ssh(
  made: Made,
  login: Login,
  command: string,
  options: { input?: string; args?: string[]; through?: string[] } = {},
): Promise<Ran> {
  const known = `${login.file}.${made.port}.known`
  await writeFile(known, `[127.0.0.1]:${made.port} ${made.key.publicKey}\n`)
  const settings = [
    `UserKnownHostsFile=${known}`,
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'LogLevel=ERROR',
    'ConnectTimeout=10',
  ]
  const args = [
    '-F',
    'none',
    '-p',
    String(made.port),
    '-i',
    login.file,
    ...(options.args ?? []),
    ...settings.flatMap((one) => ['-o', one]),
    'root@127.0.0.1',
    command,
  ]
  return new Promise((resolve) => {
    const [program, ...rest] = [...(options.through ?? []), 'ssh', ...args]
    const child = execFile(program!, rest, { timeout: 90_000, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 255) : 0, stdout, stderr }),
    )
    // One that ends without reading what it is given says so by its exit code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
  })
}

const dockerfile = `FROM debian:bookworm-slim
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openssh-server procps busybox \\
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_*
`

/** The image of these tests: sshd and little else. Its name is no instance's of a test, so that it and its layers stay for the next run. */
export const baseRef = 'dcm/hosttest/base:test'

/** Builds that image by the host's own build call, with further Dockerfile lines under another name where they are given. */
export async function buildTestImage(options: DockerHostOptions, more = '', name = 'base:test'): Promise<SeenImage> {
  const builder = createDockerHost({ ...options, instance: 'hosttest' })
  const folder = await mkdtemp(join(tmpdir(), 'dcm-image-'))
  try {
    await writeFile(join(folder, 'Dockerfile'), dockerfile + more)
    return await builder.engine.build(folder, `dcm/hosttest/${name}`, () => undefined)
  } finally {
    builder.close()
    await rm(folder, { recursive: true, force: true })
  }
}
