import type { Place } from '../model/place.ts'
import type { DcmError } from '../reply/error.ts'
import type { Caller, Command } from './define.ts'
import type { Belongings } from './belongings.ts'
import type { Membership } from './membership.ts'

/**
 * What a command may ask for besides its arguments. It is already narrowed to the caller where that matters; changes
 * that need steps go through `begin`, never through here.
 */
export type Context = Membership &
  Belongings & {
    caller: Caller
    now: Date
    place: Place
    commands: readonly Command[]
    /** Bytes that came with the call, for a command that `streams`. */
    body?: AsyncIterable<Uint8Array>
    /** What would become of another line of the caller's, as far as admission; nothing is done. */
    consider(line: string): Promise<{ command: string | null; rule: string; refusal: DcmError | null }>
  }
