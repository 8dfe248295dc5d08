/**
 * Why a host could not do something. `gone`: no such object; `taken`: the name or port is another's; `down`: no answer
 * in time; `elsewhere`: other processes reach this host, this one does not.
 */
export type HostFault = 'gone' | 'taken' | 'down' | 'full' | 'refused' | 'broken' | 'elsewhere'

/** A host said no. `message` is for the operator; commands put it into the member's words. */
export class HostError extends Error {
  readonly fault: HostFault
  /** HTTP status of the engine's answer, where there was one. */
  readonly status: number | undefined
  /** What somebody beyond the host said, a registry for one, fit for the member to read. */
  readonly reason: string | undefined
  constructor(
    fault: HostFault,
    message: string,
    options: { status?: number | undefined; reason?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'HostError'
    this.fault = fault
    this.status = options.status
    this.reason = options.reason
  }
}

/** Whether something failed at a host in this very way. */
export const isFault = (error: unknown, fault: HostFault): error is HostError =>
  error instanceof HostError && error.fault === fault
