import type { LogChunk } from '../engine.ts'
import { malformed } from './fault.ts'

const header = 8

/**
 * Takes the engine's multiplexed stream apart (Engine API, ContainerAttach, "Stream format": one byte of stream, three
 * of zero, four of length, then that many bytes). What belongs to one frame may come in several chunks: nothing is
 * held back, so memory does not grow with the frame, and the reader's pace holds the engine back.
 */
export async function* logFrames(source: AsyncIterable<Buffer>): AsyncGenerator<LogChunk> {
  let head = Buffer.alloc(0)
  let left = 0
  let stream: LogChunk['stream'] = 'stdout'
  for await (const piece of source) {
    let at = 0
    while (at < piece.length) {
      if (left > 0) {
        const data = piece.subarray(at, at + left)
        left -= data.length
        at += data.length
        yield { stream, data }
        continue
      }
      const part = piece.subarray(at, at + header - head.length)
      head = Buffer.concat([head, part])
      at += part.length
      if (head.length < header) break
      if (head[0]! > 2 || head[1] !== 0 || head[2] !== 0 || head[3] !== 0) throw malformed('logs')
      stream = head[0] === 2 ? 'stderr' : 'stdout'
      left = head.readUInt32BE(4)
      head = Buffer.alloc(0)
    }
  }
  if (left > 0 || head.length > 0) throw malformed('logs')
}
