import type { LogChunk } from '../host/host.ts'
import { plain } from '../reply/text.ts'

/** What is kept of a program's output: its beginning says what it is about, its end how it went. */
const [first, last] = [16 * 1024, 48 * 1024]

/** What a program has printed, made harmless; `cut` when something was left out of its middle. */
export type Output = { text: string; cut: boolean }

/** Reads all that is printed, and keeps no more than 64 KiB of it whatever comes. */
export function createOutput() {
  let head = Buffer.alloc(0)
  let tail = Buffer.alloc(0)
  let size = 0
  return {
    take({ data }: LogChunk): void {
      size += data.length
      const room = first - head.length
      if (room > 0) head = Buffer.concat([head, data.subarray(0, room)])
      const rest = room > 0 ? data.subarray(room) : data
      // Twice what is kept at most, so that small pieces are not copied over and over.
      if (rest.length > 0)
        tail = Buffer.concat([tail.length > 2 * last ? tail.subarray(-last) : tail, rest.subarray(-last)])
    },
    end(): Output {
      const cut = size > head.length + Math.min(tail.length, last)
      const text = cut
        ? `${head.toString('utf8')}\n… ${size - head.length - last} bytes are left out …\n${tail.subarray(-last).toString('utf8')}`
        : Buffer.concat([head, tail]).toString('utf8')
      return { text: plain(text), cut }
    },
  }
}
