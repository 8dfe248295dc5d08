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
export type EngineView = { containers: Seen[]; networks: { name: string; id: string }[]; tags: string[] }

/** Looks at an engine past DCM. */
export async function lookAt(socket: string, instance: string): Promise<EngineView> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`dcm.instance=${instance}`] }))
  const [list, networks, images] = await Promise.all([
    ask<{ Id: string }[]>(socket, 'GET', `/containers/json?all=1&filters=${filters}`),
    ask<{ Id: string; Name: string }[]>(socket, 'GET', `/networks?filters=${filters}`),
    ask<{ RepoTags: string[] | null }[]>(socket, 'GET', '/images/json'),
  ])
  const containers = await Promise.all(
    list.map((one) => ask<Seen>(socket, 'GET', `/containers/${one.Id}/json`).catch(() => undefined)),
  )
  return {
    containers: containers.filter((one) => one !== undefined),
    networks: networks.map((one) => ({ name: one.Name, id: one.Id })),
    tags: images.flatMap((one) => one.RepoTags ?? []).filter((ref) => ref.startsWith(`dcm/${instance}/`)),
  }
}

/** Removes all that an instance has on an engine. */
export async function clearEngine(socket: string, instance: string): Promise<void> {
  const found = await lookAt(socket, instance)
  const filters = encodeURIComponent(JSON.stringify({ label: [`dcm.port=${instance}`] }))
  const forwarders = await ask<{ Id: string }[]>(socket, 'GET', `/containers/json?all=1&filters=${filters}`)
  const gone = (path: string) => ask(socket, 'DELETE', path).catch(() => undefined)
  await Promise.all([...forwarders, ...found.containers].map((one) => gone(`/containers/${one.Id}?force=1&v=1`)))
  await Promise.all(found.networks.map((one) => gone(`/networks/${one.id}`)))
  for (const tag of found.tags) await gone(`/images/${tag}`)
}
