import type { EngineCall } from '../../stand-ins/engine.ts'

/** Keys of a member's create request, and no others; of an aid's they are a part. */
const top =
  'Hostname Domainname User AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce Env Entrypoint Cmd Image WorkingDir Labels ExposedPorts StopSignal StopTimeout Healthcheck HostConfig NetworkingConfig'.split(
    ' ',
  )
const host =
  'Init NetworkMode PortBindings RestartPolicy CapDrop CapAdd SecurityOpt CgroupnsMode IpcMode Memory MemorySwap NanoCpus PidsLimit ShmSize Ulimits LogConfig Devices Mounts'.split(
    ' ',
  )
const base = 'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SYS_CHROOT'.split(' ')

/** What one run of DCM may ask for: where its folders are, and what was granted while it ran. */
export type Allowed = {
  instance: string
  dataDir: string
  ports: readonly number[]
  caps: readonly string[]
  devices: readonly string[]
}

type Body = Record<string, unknown> & { HostConfig: Record<string, unknown> }

/** Everything about a create request that is not as it has to be, a sentence each. */
export function createTrouble(call: EngineCall, allowed: Allowed): string[] {
  const body = call.body as Body
  const wrong: string[] = []
  const must = (holds: boolean, what: string) => void (holds || wrong.push(what))
  const same = (value: unknown, wanted: unknown) => JSON.stringify(value) === JSON.stringify(wanted)
  const aid = call.query['name']?.startsWith(`dcm-${allowed.instance}-aid-`) ?? false
  const h = body.HostConfig
  if (!aid) {
    must(same(Object.keys(body).toSorted(), top.toSorted()), `keys ${Object.keys(body).join()}`)
    must(same(Object.keys(h).toSorted(), host.toSorted()), `HostConfig keys ${Object.keys(h).join()}`)
  } else {
    must(
      Object.keys(body).every((key) => top.includes(key)),
      `aid keys ${Object.keys(body).join()}`,
    )
    must(
      Object.keys(h).every((key) => host.includes(key)),
      `aid HostConfig keys ${Object.keys(h).join()}`,
    )
  }
  must(
    new RegExp(`^dcm-${allowed.instance}-(aid-[0-9a-f]+|[a-z0-9]{12})$`).test(call.query['name'] ?? ''),
    `name ${call.query['name']}`,
  )
  must(/^sha256:[0-9a-f]{64}$/.test(String(body['Image'])), `Image ${String(body['Image'])}`)
  must(body['User'] === '0:0' && same(body['Healthcheck'], { Test: ['NONE'] }), 'User or Healthcheck')
  must(['SIGTERM', 'SIGKILL'].includes(String(body['StopSignal'])), 'StopSignal')
  must(
    aid
      ? Array.isArray(body['Entrypoint'])
      : same((body['Entrypoint'] as string[]).slice(0, 2), ['/bin/sh', '/run/dcm/entry']),
    'Entrypoint',
  )
  must(same(h['CapDrop'], ['ALL']), 'CapDrop')
  for (const cap of h['CapAdd'] as string[])
    must(base.includes(cap) || (!aid && allowed.caps.includes(cap)), `CapAdd ${cap}`)
  for (const option of h['SecurityOpt'] as string[])
    must(
      option === 'no-new-privileges' || /^seccomp=\{.*"defaultAction":"SCMP_ACT_(ERRNO|KILL)/.test(option),
      `SecurityOpt ${option}`,
    )
  must((h['SecurityOpt'] as string[]).includes('no-new-privileges'), 'no-new-privileges')
  must(h['CgroupnsMode'] === 'private' && h['IpcMode'] === 'private', 'namespaces')
  must(
    aid
      ? h['NetworkMode'] === 'none'
      : new RegExp(`^dcm-${allowed.instance}-net-[a-z0-9]+$`).test(String(h['NetworkMode'])),
    `NetworkMode ${String(h['NetworkMode'])}`,
  )
  for (const key of ['Memory', 'MemorySwap', 'NanoCpus', 'PidsLimit'])
    must(Number.isSafeInteger(h[key]) && Number(h[key]) > 0, `${key} ${String(h[key])}`)
  must(h['MemorySwap'] === h['Memory'], 'MemorySwap')
  const log = h['LogConfig'] as { Type: string; Config: Record<string, string> }
  must(
    log.Type === 'json-file' && /^\d+m$/.test(log.Config['max-size'] ?? '') && Number(log.Config['max-file']) <= 5,
    'LogConfig',
  )
  for (const mount of h['Mounts'] as {
    Type: string
    Source?: string
    Target: string
    ReadOnly?: boolean
    TmpfsOptions?: { SizeBytes: number }
    BindOptions?: { Propagation: string }
  }[]) {
    if (mount.Type === 'tmpfs')
      must(
        Number(mount.TmpfsOptions?.SizeBytes) > 0 && Number(mount.TmpfsOptions?.SizeBytes) <= Number(h['Memory']),
        'tmpfs without a size',
      )
    else {
      const parts =
        String(mount.Source).startsWith(`${allowed.dataDir}/`) && !/(^|\/)\.\.?(\/|$)/.test(String(mount.Source))
      must(mount.Type === 'bind' && parts, `Mount ${mount.Type} ${mount.Source}`)
      must(
        aid
          ? mount.Target === '/aid'
          : (mount.Target === '/run/dcm' && mount.ReadOnly === true) ||
              // Where no link of a member's can lead it: DCM's own folder is read-only.
              /^\/run\/dcm\/(?:storage|volumes\/[a-z0-9]+)$/.test(String(mount.Target)),
        `Target ${mount.Target}`,
      )
      if (!aid) must(mount.BindOptions?.Propagation === 'rprivate', 'Propagation')
    }
  }
  if (aid) return wrong
  for (const [inside, outside] of Object.entries(
    h['PortBindings'] as Record<string, { HostIp: string; HostPort: string }[]>,
  )) {
    must(inside in (body['ExposedPorts'] as object), `${inside} is not exposed`)
    for (const { HostIp, HostPort } of outside) {
      const port = Number(HostPort)
      must(
        HostIp === '127.0.0.1' &&
          String(port) === HostPort &&
          ((port >= 20_000 && port <= 29_999) || allowed.ports.includes(port)),
        `port ${HostIp}:${HostPort}`,
      )
    }
  }
  must(
    same(Object.keys(body['ExposedPorts'] as object).toSorted(), Object.keys(h['PortBindings'] as object).toSorted()),
    'ExposedPorts',
  )
  for (const device of h['Devices'] as { PathOnHost: string }[])
    must(allowed.devices.includes(device.PathOnHost), `device ${device.PathOnHost}`)
  must(/^[a-z][a-z0-9-]*$/.test(String(body['Hostname'])) && body['Domainname'] === '', 'Hostname')
  must(
    same(Object.keys((body['NetworkingConfig'] as { EndpointsConfig: object }).EndpointsConfig), [h['NetworkMode']]),
    'NetworkingConfig',
  )
  const labels = body['Labels'] as Record<string, string>
  must(
    labels['dcm.instance'] === allowed.instance &&
      same(
        Object.keys(labels).filter((key) => !key.startsWith('dcm.')),
        [],
      ),
    'Labels',
  )
  for (const pair of body['Env'] as string[]) must(!/dcm_[A-Za-z0-9]{20}|PRIVATE KEY/.test(pair), 'a secret in Env')
  return wrong
}

const id = '[0-9a-f]{64}'

/** Everything about any request to the engine that is not as it has to be: an object by its full id or DCM's own name, no door of Docker's that is closed. */
export function requestTrouble(call: EngineCall, allowed: Allowed): string[] {
  const { instance } = allowed
  const own = `dcm-${instance}-[a-z0-9-]+`
  const image = `(?:sha256:${id}|dcm/${instance}/[a-z0-9-]+:latest)`
  const path = decodeURIComponent(call.path)
  const reads = [
    /^\/(_ping|version|info|events|networks|containers\/json|images\/json|system\/df)$/,
    new RegExp(`^/containers/(${id}|${own})/(json|logs|archive)$`),
    new RegExp(`^/networks/(bridge|${id}|${own})$`),
    /^\/images\/[^?]+\/(json|history)$/,
  ]
  const changes: Record<string, RegExp[]> = {
    GET: reads,
    HEAD: [...reads, new RegExp(`^/containers/${id}/archive$`)],
    POST: [
      /^\/(containers\/create|networks\/create|commit|build)$/,
      new RegExp(`^/containers/${id}/(start|stop|kill|pause|unpause|wait|attach|rename)$`),
      new RegExp(`^/networks/(${id}|${own})/(connect|disconnect)$`),
      /^\/images\/[^?]+\/tag$/,
    ],
    DELETE: [
      new RegExp(`^/containers/${id}$`),
      new RegExp(`^/networks/(${id}|${own})$`),
      new RegExp(`^/images/${image}$`),
    ],
  }
  const wrong: string[] = []
  if (!(changes[call.method] ?? []).some((pattern) => pattern.test(path))) wrong.push(`${call.method} ${call.path}`)
  if (/%2f|%2e|%00|\.\.|\/\//i.test(call.path.replace(/^\/images\/.*/, ''))) wrong.push(`path ${call.path}`)
  if (call.method === 'DELETE' && path.startsWith('/containers/') && !['1', 'true'].includes(call.query['v'] ?? ''))
    wrong.push('volumes are left')
  if (path === '/commit' && !new RegExp(`^${id}$`).test(call.query['container'] ?? ''))
    wrong.push('commit of what is no full id')
  if (path === '/containers/create') wrong.push(...createTrouble(call, allowed).map((what) => `create: ${what}`))
  if (
    path === '/networks/create' &&
    !String((call.body as { Options?: Record<string, string> }).Options?.['com.docker.network.bridge.name']).startsWith(
      'dcm',
    )
  )
    wrong.push('a bridge of another name')
  return wrong
}
