import type { LogChunk } from '../host/engine.ts'
import { plain } from '../reply/text.ts'

/** What is kept of a program's output: its beginning says what it is about, its end how it went. */
const [first, last] = [16 * 1024, 48 * 1024]

/**
 * What was changed of it: `bytes`, where it is no text and cannot be told as one; `marks`, where in text line ends were
 * changed, or what acts on a terminal was taken out or made visible; null: nothing.
 */
export type Changed = 'bytes' | 'marks' | null

/** What a program has printed, made harmless; `cut` when something was left out of its middle. */
export type Output = { text: string; cut: boolean; changed: Changed }

// What file(1) takes for no text: C0 but BEL to CR and ESC, and DEL.
const untold = /[\u0000-\u0006\u000e-\u001a\u001c-\u001f\u007f]/

function told(bytes: Uint8Array): { text: string; changed: Changed } {
  const raw = Buffer.from(bytes).toString('utf8')
  const text = plain(raw)
  if (untold.test(raw) || !Buffer.from(raw, 'utf8').equals(bytes)) return { text, changed: 'bytes' }
  return { text, changed: text === raw ? null : 'marks' }
}

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
      const left = size - head.length - Math.min(tail.length, last)
      if (left === 0) return { cut: false, ...told(Buffer.concat([head, tail])) }
      const [start, end] = [told(head), told(tail.subarray(-last))]
      return {
        text: `${start.text}\n… ${left} bytes are left out …\n${end.text}`,
        cut: true,
        changed: start.changed ?? end.changed,
      }
    },
  }
}
