/** How a webhook's sender proves itself. */
export const schemes = ['github', 'gitlab', 'gitea', 'standard', 'token'] as const
export type Scheme = (typeof schemes)[number]

/** What a line may leave open for the sender to fill: `restart {repository}` and the like. */
export const placeNames = ['ref', 'sha', 'image', 'repository'] as const
export type PlaceName = (typeof placeNames)[number]
export type Places = Partial<Record<PlaceName, string>>

/** A webhook of a member's, without its secret. */
export type Hook = {
  id: string
  ownerId: string
  name: string
  /** What it runs, as its owner typed it. */
  line: string
  verify: Scheme
  /** Events that it is for, as `push`; empty: all. */
  events: string[]
  /** `KEY=VALUE`; all must hold. */
  conditions: string[]
  expiresAt: Date
  /** Until when the secret before the last rotation is good too. */
  previousUntil: Date | null
  /** Requests that were not signed with its secret, and when the last one came. */
  failures: number
  failedAt: Date | null
  createdAt: Date
}

/** `received`: it is being carried out. */
export type DeliveryState = 'received' | 'done' | 'failed' | 'refused' | 'ignored'

/** One delivery of a webhook and what became of it. */
export type Delivery = {
  id: string
  hookId: string
  /** The sender's own id for it; what comes twice under one is carried out once. */
  key: string | null
  event: string | null
  places: Places
  state: DeliveryState
  text: string
  code: string | null
  operationId: string | null
  address: string | null
  createdAt: Date
  endedAt: Date | null
}
