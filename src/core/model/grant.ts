import { formatImageRef, parseImageRef } from './name.ts'
import { exactAmount, parseAmount, type Resource, resources } from './quota.ts'

/** What Docker calls a restart policy, as far as an admin may grant one. */
export type Restart = { name: 'no' } | { name: 'on-failure'; max: number } | { name: 'unless-stopped' }

/** Something that an admin permits to one member; a closed grammar. */
export type Grant =
  | { kind: 'restart'; restart: Restart }
  | { kind: 'restart-policy' }
  | { kind: 'cap'; cap: string }
  | { kind: 'port'; port: number }
  | { kind: 'public-ports' }
  | { kind: 'device'; name: string }
  | { kind: 'seccomp'; name: string }
  | { kind: 'image'; ref: string }
  | { kind: 'quota'; resource: Resource; amount: number }

/**
 * Capabilities that an admin may grant. Those that are as good as root on the host (SYS_ADMIN, SYS_MODULE,
 * SYS_RAWIO, DAC_READ_SEARCH, BPF and the like) are not here, so nobody can grant them by mistake.
 */
export const grantableCaps = [
  'AUDIT_READ',
  'IPC_LOCK',
  'IPC_OWNER',
  'LEASE',
  'MKNOD',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETPCAP',
  'SYS_NICE',
  'SYS_PTRACE',
  'SYS_RESOURCE',
  'SYS_TTY_CONFIG',
] as const

/** The forms that `grant` takes, for help and refusals. */
export const grantForms =
  'restart:on-failure:N, restart:unless-stopped, restart-policy, cap:NAME, port:N, port:public, device:NAME, seccomp:NAME, image:REF or quota:RESOURCE=AMOUNT'

/** Reads a Docker restart policy (`no`, `on-failure[:N]`, `unless-stopped`). `always` is not offered. */
export function parseRestart(text: string): Restart | undefined {
  if (text === 'no' || text === 'unless-stopped') return { name: text }
  const match = /^on-failure(?::([1-9]\d?))?$/.exec(text)
  return match ? { name: 'on-failure', max: Number(match[1] ?? 3) } : undefined
}

/** Writes a restart policy as `--restart` reads it. */
export const formatRestart = (restart: Restart): string =>
  restart.name === 'on-failure' ? `on-failure:${restart.max}` : restart.name

/** Reads a capability in any of Docker's spellings (`CAP_NET_ADMIN`, `net_admin`). */
export function parseCap(text: string): string | undefined {
  const cap = text.toUpperCase().replace(/^CAP_/, '')
  return /^[A-Z_]{2,24}$/.test(cap) ? cap : undefined
}

/** Reads what `grant` names. @returns undefined when it is not in the grammar. */
export function parseGrant(text: string): Grant | undefined {
  if (text === 'restart-policy') return { kind: 'restart-policy' }
  const at = text.indexOf(':')
  if (at < 0) return undefined
  const [kind, rest] = [text.slice(0, at), text.slice(at + 1)]
  switch (kind) {
    case 'restart': {
      const restart = parseRestart(rest)
      return restart && restart.name !== 'no' ? { kind, restart } : undefined
    }
    case 'cap': {
      const cap = parseCap(rest)
      return cap && (grantableCaps as readonly string[]).includes(cap) ? { kind, cap } : undefined
    }
    case 'port':
      if (rest === 'public') return { kind: 'public-ports' }
      return /^[1-9]\d{0,4}$/.test(rest) && Number(rest) < 65536 ? { kind, port: Number(rest) } : undefined
    case 'device':
    case 'seccomp':
      return /^[a-z][a-z0-9-]{0,30}$/.test(rest) ? { kind, name: rest } : undefined
    case 'image': {
      const ref = parseImageRef(rest)
      return ref && { kind, ref: formatImageRef(ref) }
    }
    case 'quota': {
      const [resource, amount, more] = rest.split('=')
      if (more !== undefined || !(resources as readonly string[]).includes(resource ?? '')) return undefined
      const value = parseAmount(resource as Resource, amount ?? '')
      return value === undefined ? undefined : { kind, resource: resource as Resource, amount: value }
    }
    default:
      return undefined
  }
}

/** Writes a grant in the one spelling that it is stored, listed and revoked by: `parseGrant` reads it back as it was. */
export function formatGrant(grant: Grant): string {
  switch (grant.kind) {
    case 'restart':
      return `restart:${formatRestart(grant.restart)}`
    case 'restart-policy':
      return grant.kind
    case 'cap':
      return `cap:${grant.cap}`
    case 'port':
      return `port:${grant.port}`
    case 'public-ports':
      return 'port:public'
    case 'device':
    case 'seccomp':
      return `${grant.kind}:${grant.name}`
    case 'image':
      return `image:${grant.ref}`
    case 'quota':
      return `quota:${grant.resource}=${exactAmount(grant.resource, grant.amount)}`
  }
}

/** @returns whether one of `grants` permits the restart policy `wish`. */
export const permitsRestart = (grants: readonly Grant[], wish: Restart): boolean =>
  wish.name === 'no' ||
  grants.some(
    (grant) =>
      grant.kind === 'restart-policy' ||
      (grant.kind === 'restart' &&
        grant.restart.name === wish.name &&
        (grant.restart.name !== 'on-failure' || wish.name !== 'on-failure' || wish.max <= grant.restart.max)),
  )
