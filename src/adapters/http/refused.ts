import type { ErrorCode } from '../../core/reply/error.ts'

/** A request that HTTP itself refuses, with a status finer than its error code's (413, 415, 405…) and headers that go with it. */
export class Refused extends Error {
  readonly status: number
  readonly code: ErrorCode
  readonly headers: Record<string, string>
  constructor(
    status: number,
    code: ErrorCode,
    sentence: string,
    headers: Record<string, string> = {},
    cause?: unknown,
  ) {
    super(sentence, { cause })
    this.name = 'Refused'
    this.status = status
    this.code = code
    this.headers = headers
  }
}
