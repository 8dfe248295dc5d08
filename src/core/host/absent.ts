import type { Engine } from './engine.ts'
import { HostError } from './fault.ts'
import type { Files } from './files.ts'
import type { Host } from './host.ts'
import type { Net } from './net.ts'

/** What gives pieces one after the other: it is asked for in a `for await`, where a refusal is thrown at once. */
const streams = new Set(['logs', 'export', 'events'])

/**
 * A host as a process has it that does not reach it: everything is refused with the fault `elsewhere`. Only what belongs
 * into a container's run folder is taken, because the database says it already: `renew` has it brought there by who can.
 */
export function createAbsentHost(id: string, renew: (containerId: string) => Promise<void>): Host {
  const refuse = (what: string): never => {
    throw new HostError('elsewhere', `This process does not reach the host ${id}, so it cannot ask for ${what}.`)
  }
  const refusing = <T extends object>(taken: Partial<T> = {}): T =>
    new Proxy(taken as T, {
      get: (own, name) =>
        name in own
          ? own[name as keyof T]
          : streams.has(String(name))
            ? () => refuse(String(name))
            : async () => refuse(String(name)),
    })
  return {
    id,
    engine: refusing<Engine>(),
    files: refusing<Files>({
      writeKeys: (containerId) => renew(containerId),
      writeSecrets: (containerId) => renew(containerId),
    }),
    net: refusing<Net>(),
  }
}
