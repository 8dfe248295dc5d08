import { ask } from '../../setup/engine.ts'

export type Seen = {
  Id: string
  Name: string
  State: { Status: string; ExitCode: number; StartedAt: string; Pid: number }
  Config: { Labels: Record<string, string>; Env: string[] }
  HostConfig: { PortBindings: Record<string, { HostIp: string; HostPort: string }[]> | null; NetworkMode: string }
  Mounts: { Source: string; Destination: string; RW: boolean }[]
  Image: string
}

/** What the engine itself says of one instance. */
export type EngineView = {
  containers: Seen[]
  /** Names of the containers that hand on a port, and how they are. */
  forwarders: { id: string; name: string; state: string }[]
  networks: { name: string; id: string }[]
  tags: string[]
}

/** Looks at an engine past DCM. */
export async function lookAt(socket: string, instance: string): Promise<EngineView> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`dcm.instance=${instance}`] }))
  const handing = encodeURIComponent(JSON.stringify({ label: [`dcm.port=${instance}`] }))
  type Listed = { Id: string; Names: string[]; State: string }
  const [list, forwarders, networks, images] = await Promise.all([
    ask<{ Id: string }[]>(socket, 'GET', `/containers/json?all=1&filters=${filters}`),
    ask<Listed[]>(socket, 'GET', `/containers/json?all=1&filters=${handing}`),
    ask<{ Id: string; Name: string }[]>(socket, 'GET', `/networks?filters=${filters}`),
    ask<{ RepoTags: string[] | null }[]>(socket, 'GET', '/images/json'),
  ])
  const containers = await Promise.all(
    list.map((one) => ask<Seen>(socket, 'GET', `/containers/${one.Id}/json`).catch(() => undefined)),
  )
  return {
    containers: containers.filter((one) => one !== undefined),
    forwarders: forwarders.map((one) => ({ id: one.Id, name: one.Names[0]!.slice(1), state: one.State })),
    networks: networks.map((one) => ({ name: one.Name, id: one.Id })),
    tags: images.flatMap((one) => one.RepoTags ?? []).filter((ref) => ref.startsWith(`dcm/${instance}/`)),
  }
}

/** Removes all that an instance has on an engine. */
export async function clearEngine(socket: string, instance: string): Promise<void> {
  const found = await lookAt(socket, instance)
  // A killed DCM sweeps its own after an hour.
  const aid = encodeURIComponent(JSON.stringify({ label: [`dcm.aid=${instance}`] }))
  const aids = await ask<{ Id: string }[]>(socket, 'GET', `/containers/json?all=1&filters=${aid}`)
  const gone = (path: string) => ask(socket, 'DELETE', path).catch(() => undefined)
  const containers = [...found.forwarders.map((one) => one.id), ...[...found.containers, ...aids].map((one) => one.Id)]
  await Promise.all(containers.map((id) => gone(`/containers/${id}?force=1&v=1`)))
  await Promise.all(found.networks.map((one) => gone(`/networks/${one.id}`)))
  for (const tag of found.tags) await gone(`/images/${tag}`)
}
