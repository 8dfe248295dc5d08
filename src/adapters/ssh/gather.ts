import type { Socket } from 'node:net'
import { sweep } from './sweep.ts'

/**
 * Sends all that is written in one round of the event loop as one: ssh2 writes each message in three pieces, which without
 * Nagle's algorithm would be three packets, and half of a transfer's time went into telling the kernel.
 */
export function gather(socket: Socket): void {
  const write = socket.write.bind(socket) as (data: Uint8Array | string) => boolean
  let gathering = false
  const send = () => {
    gathering = false
    socket.uncork()
  }
  socket.write = (data: Uint8Array | string) => {
    if (!gathering) {
      gathering = true
      socket.cork()
      setImmediate(send)
    }
    sweep(data.length)
    return write(data)
  }
}
