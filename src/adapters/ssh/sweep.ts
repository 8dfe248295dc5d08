import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// The engine's collector can only be called where this flag was set when the function was made.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (how: { type: 'minor' }) => void
setFlagsFromString('--no-expose-gc')

const enough = 16 * 1024 * 1024
let passed = 0

/**
 * Told how many bytes went by. Each costs buffers that are garbage at once, but lie outside the heap: V8 does not see
 * that its young generation is full of them, and marks the whole heap whenever they come to 64 MiB, which took half of
 * the time of a transfer. Collecting the young generation alone, in time, takes a millisecond.
 */
export function sweep(bytes: number): void {
  if ((passed += bytes) < enough) return
  passed = 0
  collect({ type: 'minor' })
}
