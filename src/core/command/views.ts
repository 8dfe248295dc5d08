import type { Decision } from '../model/audit.ts'
import type { ShareLevel } from '../model/container.ts'
import type { Grant } from '../model/grant.ts'
import type { NetworkRef } from '../model/network.ts'
import type { Resource } from '../model/quota.ts'
import type { ScheduleVerb } from '../model/schedule.ts'
import type { ServiceWish } from './intents.ts'

/** A public key of a member. */
export type Key = { id: string; ownerId: string; type: string; fingerprint: string; comment: string; createdAt: Date }

/** Somebody who is connected over SSH. */
export type Connected = {
  id: string
  ownerId: string
  owner: string
  address: string
  fingerprint: string
  doing: string
  startedAt: Date
}

/** An API token, without its secret. */
export type Token = {
  id: string
  label: string
  commands: string[] | null
  containers: string[] | null
  expiresAt: Date
  lastUsedAt: Date | null
  createdAt: Date
}

/** A grant in force: `thing` is what `grant` was given; `group` the one that it comes by, if it does. */
export type GrantRow = {
  thing: string
  grant: Grant
  expiresAt: Date | null
  grantedBy: string
  createdAt: Date
  group: string | null
}

/** One line of a quota: what is used and what is allowed; `from` says which rule decides. */
export type Allowance = {
  resource: Resource
  used: number
  limit: number
  from: 'site' | 'group' | 'member' | 'grant'
  /** The group that it comes from, where it does. */
  group?: string
}

/** Who may do what with whose container. */
export type ShareView = { container: string; owner: string; guest: string; level: ShareLevel; expiresAt: Date }

/** What is done to a container at chosen times. `zone` as the IANA names it. */
export type Schedule = {
  id: string
  container: string
  verb: ScheduleVerb
  /** What is run, where that is what is done. */
  argv: string[] | null
  cron: string
  zone: string
  nextAt: Date
  lastAt: Date | null
  trouble: string | null
}

/** One row of the audit log. */
export type AuditRow = {
  id: number
  at: Date
  actor: string | null
  as: string | null
  surface: string
  address: string | null
  command: string
  target: string | null
  decision: Decision
  code: string | null
  operationId: string | null
  requestId: string
  detail: string | null
}

/** A line of a Compose file that cannot be had, or has no effect; line and column from 1. */
export type ComposeLine = { line: number; column: number; key: string; why: string }

/** What a Compose file comes to for a caller. Only one without problems can be brought up. */
export type ComposePlan = {
  project: string | null
  services: ServiceWish[]
  /** Volumes that are made with it. */
  volumes: { id: string; name: string }[]
  /** Networks that are made with it. */
  networks: NetworkRef[]
  problems: ComposeLine[]
  notes: ComposeLine[]
}

/** What a member asked the admins for. `lives` in milliseconds; null until revoked. */
export type RequestView = {
  id: string
  who: string
  thing: string
  lives: number | null
  why: string
  state: 'open' | 'approved' | 'denied'
  decidedBy: string | null
  decidedAt: Date | null
  createdAt: Date
}

/** A guarantee that `doctor` looked at. `fix` says how to get it where it does not hold. */
export type Check = { name: string; holds: boolean; says: string; fix?: string }

/** What a host has and how much of it has been given out. Memory and disk in bytes, cpus in thousandths. */
export type Capacity = {
  host: string
  reachable: boolean
  seenAt: Date | null
  memory: { total: number; reserve: number; admitted: number }
  cpus: { total: number; admitted: number }
}
