/** Every way a call can fail, with its HTTP status; sorted by who can act on it. */
export const errorCodes = {
  /** The caller wrote something that is not a command or not an argument. */
  usage: 400,
  /** DCM does not know who this is. */
  unlinked: 401,
  /** An admin would have to permit it. */
  denied: 403,
  /** Absent and not-yours are the same. */
  not_found: 404,
  /** Something else is in the way, now. */
  conflict: 409,
  /** A quota, a rate or the host's room is used up. */
  limited: 429,
  /** The operator has to act: the engine, the database or a platform does not answer. */
  unavailable: 503,
  /** The developers have to act; the log carries the same reference. */
  internal: 500,
} as const

export type ErrorCode = keyof typeof errorCodes

/** What a shell script sees of a failure, from the local command and over SSH alike. */
export const exitCodes: Record<ErrorCode, number> = {
  internal: 1,
  usage: 2,
  unlinked: 3,
  denied: 3,
  not_found: 4,
  conflict: 5,
  limited: 6,
  unavailable: 7,
}

/** Rows under a head. */
export type Table = { head: string[]; rows: string[][] }

/** What a form would have to ask for, where a required argument was left out. */
export type Ask = { command: string; given: Record<string, unknown>; missing: string[] }

/**
 * The one error that a caller gets to see. The sentence is always showable: it names the rule, the present use and
 * limit, and `try` is the nearest command line that would work. The cause is for the log and never shown.
 */
export class DcmError extends Error {
  readonly code: ErrorCode
  readonly try: string | undefined
  readonly ask: Ask | undefined
  /** What is wrong, each on a line of its own, where it is many things at once. */
  readonly table: Table | undefined
  constructor(
    code: ErrorCode,
    sentence: string,
    options: { cause?: unknown; try?: string | undefined; ask?: Ask; table?: Table | undefined } = {},
  ) {
    super(sentence, { cause: options.cause })
    this.name = 'DcmError'
    this.code = code
    this.try = options.try
    this.ask = options.ask
    this.table = options.table
  }
}
