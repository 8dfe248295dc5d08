import type { Proto } from '../model/container.ts'
import { exampleAmount, parseAmount, type Resource, resources } from '../model/quota.ts'
import { parseDuration } from '../model/units.ts'
import { mountable, type Mounted } from '../model/volume.ts'
import { DcmError } from '../reply/error.ts'
import type { PortWish } from './intents.ts'
import type { Lookup, Spot } from './lookup.ts'
import { type Grant, grantableCaps, parseGrant } from '../model/grant.ts'

export const wrong = (sentence: string) => new DcmError('usage', sentence)
export const named = (refuse: (name: string) => string | undefined) => (text: string) => {
  const why = refuse(text)
  if (why) throw wrong(why)
  return text
}
export const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** PostgreSQL keeps neither NUL in text nor half of a surrogate pair in JSON: better refused here than an error there. */
export const storable = (text: string) => !text.includes('\0') && text.isWellFormed()

/** Words for time tables; crontab(5), "Extensions". */
const nicknames: Record<string, string> = {
  ...{ '@hourly': '0 * * * *', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@weekly': '0 0 * * 0' },
  ...{ '@monthly': '0 0 1 * *', '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *' },
}

/** A time table as five fields. @throws DcmError `usage` for a word that is none */
export function readCron(text: string): string {
  const word = text.trim().toLowerCase()
  if (!word.startsWith('@')) return text
  if (!Object.hasOwn(nicknames, word))
    throw wrong(`${word.slice(0, 40)} is no time table; of such words there are ${Object.keys(nicknames).join(', ')}.`)
  return nicknames[word]!
}

export function readPort(text: string): PortWish | undefined {
  const match = /^(?:([1-9]\d{0,4}):)?([1-9]\d{0,4})(?:\/(tcp|udp))?$/.exec(text)
  if (!match) return undefined
  const [host, container] = [match[1] ? Number(match[1]) : undefined, Number(match[2])]
  if (container > 65535 || (host ?? 1) > 65535) return undefined
  return { container, proto: (match[3] ?? 'tcp') as Proto, ...(host === undefined ? {} : { host }) }
}

/** `data:/var/lib/data[:ro]`: a volume by its name, never a path of the host. */
export async function readMount(text: string, lookup: Lookup): Promise<Mounted | undefined> {
  const [name, path, mode, more] = text.split(':')
  if (path === undefined || more !== undefined || (mode !== undefined && mode !== 'ro' && mode !== 'rw'))
    return undefined
  if (name!.startsWith('/') || name!.startsWith('.'))
    throw wrong('A folder of the host cannot be mounted: make a volume with volume create, and mount that by its name.')
  const { id, name: called } = await lookup.volume(name!)
  if (!mountable(path))
    throw wrong(
      `Nothing can be mounted at ${path.slice(0, 60)}: the path is absolute and plain, and neither the system's nor DCM's own.`,
    )
  return { id, name: called, path, readOnly: mode === 'ro' }
}

export function readEnv(text: string): string {
  const at = text.indexOf('=')
  if (at < 1 || !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text.slice(0, at)))
    throw wrong('A variable is NAME=value; NAME is letters, digits and "_".')
  if (text.length > 8192 || !storable(text))
    throw wrong(`The value of ${text.slice(0, at)} is longer than 8192 characters or holds a NUL or broken text.`)
  if (/^DCM/i.test(text)) throw wrong("Variables that start with DCM are DCM's own; choose another name.")
  return text
}

export function readAmount(text: string): { resource: Resource; amount: number } | undefined {
  const [name, value, more] = text.split('=')
  const resource = resources.find((known) => known === name)
  if (!resource || value === undefined || more !== undefined)
    throw wrong(`A quota is RESOURCE=AMOUNT; RESOURCE is one of ${resources.join(', ')}.`)
  const amount = parseAmount(resource, value)
  if (amount === undefined)
    throw wrong(
      `"${value.slice(0, 40)}" is no amount of ${resource}: write it like ${resource}=${exampleAmount(resource)}.`,
    )
  if (amount > 0 && amount < 1024 ** 2 && (resource === 'memory' || resource === 'disk'))
    throw wrong(
      `${resource}=${value} is less than any container takes${/^\d+$/.test(value) ? `; ${value} alone is bytes, so write ${resource}=${value}m or ${resource}=${value}g` : ''}.`,
    )
  return { resource, amount }
}

/** A time: how long ago (`10m`) or an ISO 8601 date. */
export function readWhen(text: string, lookup: Lookup): Date | undefined {
  const ago = parseDuration(text)
  if (ago !== undefined) return new Date(lookup.now().getTime() - ago)
  const at = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.test(text) ? new Date(text) : new Date(NaN)
  return Number.isNaN(at.getTime()) ? undefined : at
}

/** `web:/srv`: a path of a container, from its root; `-` is the stream that comes or goes with the call. */
export async function readSpot(text: string, lookup: Lookup): Promise<Spot | null | undefined> {
  if (text === '-') return null
  const match = /^([^:]{1,200}):(.*)$/s.exec(text)
  if (!match) return undefined
  const container = await lookup.container(match[1]!)
  const path = match[2]!
  return path.startsWith('/') && path.length <= 4000 && storable(path) ? { container, path } : undefined
}

/** @throws DcmError `usage` for a capability that nobody is ever given */
export function readGrant(text: string): Grant | undefined {
  const grant = parseGrant(text)
  if (grant || !text.startsWith('cap:')) return grant
  throw new DcmError(
    'usage',
    `${text.slice(0, 40)} cannot be granted: it is as good as root on the host, or no capability; there are ${grantableCaps.join(', ')}.`,
  )
}
