import type { Connection } from 'ssh2'
import { printable } from '../../core/reply/text.ts'

/** What ssh2 1.17.0 has inside, where its server has no call for what SSH allows. */
type Packets = { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer }
type Inner = {
  _protocol: {
    _packetRW: { write: Packets }
    _cipher: { encrypt(packet: Buffer): void }
    channelOpenFail(channel: number, code: number, words: string): void
  }
}
const protocolOf = (client: Connection) => (client as unknown as Inner)._protocol

/** Says something before the login is decided (RFC 4252 section 5.4). */
export function banner(client: Connection, text: string): void {
  const { _packetRW, _cipher } = protocolOf(client)
  const words = Buffer.from(`${printable(text)}\r\n`)
  let at = _packetRW.write.allocStart
  const packet = _packetRW.write.alloc(1 + 4 + words.length + 4)
  packet[at] = 53
  packet.writeUInt32BE(words.length, (at += 1))
  packet.set(words, (at += 4))
  packet.writeUInt32BE(0, at + words.length)
  _cipher.encrypt(_packetRW.write.finalize(packet))
}

/** Refuses a channel with a reason (RFC 4254 section 5.1). */
export function because(client: Connection, why: string, reject: () => void): void {
  const protocol = protocolOf(client)
  const { channelOpenFail } = protocol
  protocol.channelOpenFail = (channel) => channelOpenFail.call(protocol, channel, 1, printable(why))
  try {
    reject()
  } finally {
    protocol.channelOpenFail = channelOpenFail
  }
}
