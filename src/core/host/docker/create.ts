import { createHash } from 'node:crypto'
import { grantableCaps } from '../../model/grant.ts'
import { mostMounted, mountable, overlap } from '../../model/volume.ts'
import type { ContainerWish, SeenImage } from '../engine.ts'
import { HostError } from '../fault.ts'
import { environment } from './environment.ts'
import { containerRef, fullImage, hostName, networkName } from './names.ts'
import { inside, storageFolder, volumeFolder } from './places.ts'

/** What a create request is built with beside the wish: whose object it is, where ports bind, and what the image brings. */
export type Place = { instance: string; bindHost: string; image: SeenImage }

/** The body of a create request: these keys and no others. Docker docs, Engine API v1.41, ContainerCreate. */
export type CreateBody = {
  Hostname: string
  Domainname: string
  User: string
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  Tty: boolean
  OpenStdin: boolean
  StdinOnce: boolean
  Env: string[]
  Entrypoint: string[]
  Cmd: string[]
  Image: string
  WorkingDir: string
  Labels: Record<string, string>
  ExposedPorts: Record<string, Record<string, never>>
  StopSignal: string
  StopTimeout: number
  Healthcheck: { Test: string[] }
  HostConfig: {
    Init: boolean
    NetworkMode: string
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>
    RestartPolicy: { Name: string; MaximumRetryCount: number }
    CapDrop: string[]
    CapAdd: string[]
    SecurityOpt: string[]
    CgroupnsMode: string
    IpcMode: string
    Memory: number
    MemorySwap: number
    NanoCpus: number
    PidsLimit: number
    ShmSize: number
    Ulimits: { Name: string; Soft: number; Hard: number }[]
    LogConfig: { Type: string; Config: Record<string, string> }
    Devices: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[]
    Mounts: Mount[]
  }
  NetworkingConfig: { EndpointsConfig: Record<string, { Aliases: string[] }> }
}

type Mount =
  | { Type: 'bind'; Source: string; Target: string; ReadOnly: boolean; BindOptions: { Propagation: 'rprivate' } }
  | { Type: 'tmpfs'; Target: string; TmpfsOptions: { SizeBytes: number; Mode: number } }

/** The least that sshd, sftp, su and apt need, found by trying; NET_RAW, MKNOD, SETFCAP and SETPCAP of Docker's set are not in it. */
export const baseCaps = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SYS_CHROOT',
]

const mebi = 1024 ** 2

/** Labels that DCM reads. All are set on every container and blanked in every image, since labels of images survive. */
export const labels = {
  instance: 'dcm.instance',
  owner: 'dcm.owner',
  id: 'dcm.id',
  wish: 'dcm.wish',
  aid: 'dcm.aid',
  /** On images that DCM itself built: only such a one may look into members' folders. */
  built: 'dcm.built',
  /** On containers that hand on a port, in place of the first: whose they are, and the container they lead to. */
  port: 'dcm.port',
  target: 'dcm.target',
} as const

const mostVolumes = 16

const refuse = (why: string): HostError => new HostError('refused', why)

const whole = (value: number, low: number, high: number, what: string): number => {
  if (!Number.isSafeInteger(value) || value < low || value > high) throw refuse(`${what} is out of range.`)
  return value
}

function securityOptions(wish: ContainerWish): string[] {
  const options = ['no-new-privileges']
  if (wish.seccomp === null) return options
  let profile: unknown
  try {
    profile = JSON.parse(wish.seccomp)
  } catch {
    throw refuse('The seccomp profile is not JSON.')
  }
  const action =
    typeof profile === 'object' && profile !== null && 'defaultAction' in profile ? profile.defaultAction : undefined
  // A profile that allows by default still shows as "Seccomp: 2" and protects from nothing.
  if (action !== 'SCMP_ACT_ERRNO' && action !== 'SCMP_ACT_KILL' && action !== 'SCMP_ACT_KILL_PROCESS')
    throw refuse('The seccomp profile has to refuse by default (defaultAction SCMP_ACT_ERRNO).')
  return [...options, `seccomp=${JSON.stringify(profile)}`]
}

function ports(
  wish: ContainerWish,
  bindHost: string,
): Pick<CreateBody, 'ExposedPorts'> & { bindings: CreateBody['HostConfig']['PortBindings'] } {
  const exposed: CreateBody['ExposedPorts'] = {}
  const bindings: CreateBody['HostConfig']['PortBindings'] = {}
  const taken = new Set<string>()
  for (const port of wish.ports) {
    if (port.proto !== 'tcp' && port.proto !== 'udp') throw refuse('A port is tcp or udp.')
    const key = `${whole(port.container, 1, 65535, 'A port')}/${port.proto}`
    const outside = `${whole(port.host, 1, 65535, 'A host port')}/${port.proto}`
    if (taken.has(outside)) throw refuse(`The host port ${outside} is named twice.`)
    taken.add(outside)
    // The engine ignores a binding without its entry here, and takes an empty HostIp for every address.
    exposed[key] = {}
    ;(bindings[key] ??= []).push({ HostIp: bindHost, HostPort: String(port.host) })
  }
  return { ExposedPorts: exposed, bindings }
}

const bind = (source: string, target: string, readOnly: boolean): Mount => {
  const parts = source.split('/').slice(1)
  if (
    !source.startsWith('/') ||
    parts.length < 2 ||
    parts.some((part) => part === '' || part === '.' || part === '..') ||
    /[\p{Cc}]/u.test(source)
  )
    throw refuse('A mount source has to be a plain absolute path.')
  return { Type: 'bind', Source: source, Target: target, ReadOnly: readOnly, BindOptions: { Propagation: 'rprivate' } }
}

/**
 * What a member can write into, mounted below DCM's own read-only folder: the runtime follows links of the container's
 * when it mounts, and a member's folder that came to be /dev would have it open what they put there (CVE-2025-31133 is
 * one such way). The entry program leads the places where they are looked for to it.
 */
function ownFolders({ storage, volumes = [] }: ContainerWish['mounts']): Mount[] {
  if (volumes.length > mostMounted) throw refuse(`More than ${mostMounted} volumes are mounted.`)
  if (overlap(volumes.map((one) => one.path))) throw refuse('Two volumes are mounted at one place.')
  return [
    ...(storage === null ? [] : [bind(storage, inside(storageFolder), false)]),
    ...volumes.map(({ source, path, readOnly }, at) => {
      if (!mountable(path)) throw refuse('A volume is mounted where the system or DCM keeps its own.')
      return bind(source, inside(volumeFolder(at)), readOnly)
    }),
  ]
}

/**
 * An image's VOLUME would become an anonymous volume outside every quota; a memory file system of limited size covers
 * it, whose content counts as the container's memory and ends with it.
 */
function volumes(image: SeenImage, memory: number, covered: readonly string[]): Mount[] {
  if (image.volumes.length > mostVolumes) throw refuse(`The image declares more than ${mostVolumes} volumes.`)
  // The look back keeps a pattern from being tried at each slash of a path that is nothing but slashes.
  const paths = [...new Set(image.volumes.map((path) => (path.length > 1 ? path.replace(/(?<!\/)\/+$/, '') : path)))]
  if (!paths.every(mountable)) throw refuse('The image declares a volume where the system or DCM keeps its own.')
  const under = (path: string) => covered.some((place) => `${path}/`.startsWith(`${place}/`))
  const memorySize = Math.min(256 * mebi, Math.floor(memory / 4))
  return paths
    .filter((path) => !under(path))
    .map((path) => ({ Type: 'tmpfs', Target: path, TmpfsOptions: { SizeBytes: memorySize, Mode: 0o755 } }))
}

/**
 * Builds the create request from a wish: the one place where it is made. Nothing is merged in, and every field that an
 * image could else set is set here (User, Entrypoint, Cmd, Healthcheck, StopSignal, WorkingDir, own labels).
 * @throws HostError `refused` when the wish or the image asks for what no container may have
 */
export function createBody(wish: ContainerWish, place: Place): CreateBody {
  containerRef(wish.engineName)
  networkName(wish.network)
  fullImage(wish.imageId)
  if (place.image.engineId !== wish.imageId) throw refuse('The image is not the one that was asked for.')
  if ([wish.name, ...(wish.aliases ?? [])].some((name) => !hostName.test(name)))
    throw refuse('The container name cannot be a host name.')
  for (const id of [wish.id, wish.ownerId])
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw refuse('An id cannot be a label.')
  const memory = whole(wish.limits.memory, 6 * mebi, 2 ** 50, 'The memory limit')
  const cpus = whole(wish.limits.cpus, 10, 1_024_000, 'The CPU limit')
  const pids = whole(wish.limits.pids, 1, 4_194_304, 'The limit of processes')
  if (wish.command.some((word) => word.includes('\0'))) throw refuse('A command may not hold NUL.')
  if (wish.command[0] === '') throw refuse('A command has to name a program.')
  const strange = wish.caps.find((cap) => !(grantableCaps as readonly string[]).includes(cap))
  if (strange !== undefined) throw refuse('The capability cannot be granted.')
  const badDevice = wish.devices.find(
    (path) => !/^\/dev\/[A-Za-z0-9_-][A-Za-z0-9_.:-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.:-]*)*$/.test(path),
  )
  if (badDevice !== undefined) throw refuse('A device has to be a plain path below /dev.')

  const { ExposedPorts, bindings } = ports(wish, place.bindHost)
  const restart = wish.restart
  const policy =
    restart.name === 'on-failure' ? `on-failure:${whole(restart.max, 1, 99, 'The number of restarts')}` : restart.name
  if (!/^(no|unless-stopped|on-failure:\d+)$/.test(policy)) throw refuse('The restart policy is unknown.')

  const led = (wish.mounts.volumes ?? []).map((one) => one.path)
  const body: CreateBody = {
    Hostname: wish.name,
    Domainname: '',
    User: '0:0',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: environment(wish, place.image),
    Entrypoint: ['/bin/sh', '/run/dcm/entry', wish.ssh ? 'ssh' : 'plain', policy],
    Cmd: [...wish.command],
    Image: wish.imageId,
    // The entry program goes to /root itself: a link there could lead the runtime to a folder of the host (CVE-2024-21626).
    WorkingDir: '/',
    Labels: {
      [labels.instance]: place.instance,
      [labels.owner]: wish.ownerId,
      [labels.id]: wish.id,
      [labels.wish]: '',
      [labels.aid]: '',
      [labels.built]: '',
    },
    ExposedPorts,
    StopSignal: 'SIGTERM',
    StopTimeout: 10,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      Init: true,
      NetworkMode: wish.network,
      PortBindings: bindings,
      RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.name === 'on-failure' ? restart.max : 0 },
      CapDrop: ['ALL'],
      CapAdd: [...new Set([...baseCaps, ...wish.caps])].sort(),
      SecurityOpt: securityOptions(wish),
      CgroupnsMode: 'private',
      IpcMode: 'private',
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: cpus * 1_000_000,
      PidsLimit: pids,
      ShmSize: Math.min(64 * mebi, memory),
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: 8192, Hard: 16_384 },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      Devices: wish.devices.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rw' })),
      Mounts: [
        bind(wish.mounts.run, '/run/dcm', true),
        ...ownFolders(wish.mounts),
        ...volumes(place.image, memory, led),
      ],
    },
    NetworkingConfig: {
      EndpointsConfig: { [wish.network]: { Aliases: [wish.name, ...(wish.aliases ?? [])] } },
    },
  }
  // Tells a container of the same intent from one that was made by an earlier try with other ports.
  body.Labels[labels.wish] = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 32)
  return body
}
