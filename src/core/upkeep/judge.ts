import type { Container, Desired } from '../model/container.ts'
import type { Seen } from '../host/engine.ts'

/** What is to be done about a container whose engine object is not as wanted. */
export type Verdict =
  | { do: 'nothing' }
  /** It ended by itself while engine and host were up: that is how it is wanted from now on. */
  | { do: 'accept'; exitCode: number | null }
  /** It was lost to a stop of the engine or host: it is started again. */
  | { do: 'revive' }
  | { do: 'stop' }
  | { do: 'pause' }
  | { do: 'unpause' }
  /** Its engine object is gone. */
  | { do: 'miss' }

/** How a container came to be where it is, where that matters: it was seen to end, or nobody knows. */
export type Ended = { seen: true; exitCode: number | null } | { seen: false }

const wantedUp = (desired: Desired) => desired === 'running' || desired === 'paused'

/**
 * Compares what is wanted with what is. Level-triggered: it needs no history beyond whether an end was seen, so it gives
 * the same answer however often, and after whatever gap, it is asked.
 */
export function judge(
  container: Pick<Container, 'desired' | 'state'>,
  seen: Pick<Seen, 'state'> | undefined,
  ended: Ended,
): Verdict {
  const { desired } = container
  if (!seen) return container.state === 'missing' ? { do: 'nothing' } : { do: 'miss' }
  switch (seen.state) {
    case 'running':
      if (desired === 'exited') return { do: 'stop' }
      return desired === 'paused' ? { do: 'pause' } : { do: 'nothing' }
    case 'paused':
      if (desired === 'exited') return { do: 'stop' }
      return desired === 'running' ? { do: 'unpause' } : { do: 'nothing' }
    case 'created':
    case 'exited':
    case 'dead':
      if (!wantedUp(desired)) return { do: 'nothing' }
      return ended.seen ? { do: 'accept', exitCode: ended.exitCode } : { do: 'revive' }
    case 'restarting':
      return desired === 'exited' ? { do: 'stop' } : { do: 'nothing' }
    case 'removing':
      return { do: 'nothing' }
  }
}
