import { createCipheriv, createSecretKey, type KeyObject, randomFillSync } from 'node:crypto'
import type { Connection } from 'ssh2'

/** What ssh2 1.17.0 has for AES-GCM (RFC 5647 section 7.2, as OpenSSH does it), of which each key exchange makes a new one. */
type Sealing = {
  outSeqno: number
  _onWrite(data: Buffer): void
  _encSSLName: 'aes-128-gcm' | 'aes-256-gcm'
  _encKey: Buffer | KeyObject
  _encIV: Buffer
  _dead: boolean
  allocPacket(payload: number): Buffer
  encrypt(packet: Buffer): void
}
type Opening = { _decipherSSLName?: string; _decipherKey: Buffer | KeyObject }
type Inner = { _protocol: { _cipher: Partial<Sealing>; _decipher: Opening } }

const block = 16
/** The longest packet that ssh2 makes, and a little. */
const longest = 36 * 1024
/** Padding is taken from here (RFC 4253 section 6: it should be random), for asking at each packet costs more than it. */
const noise = Buffer.alloc(8192)
let used = noise.length

function pad(packet: Buffer, from: number): void {
  const size = packet.length - from
  if (used + size > noise.length) {
    randomFillSync(noise)
    used = 0
  }
  noise.copy(packet, from, used, (used += size))
}

/** Counts the packets of one key in the last eight bytes. */
function next(iv: Buffer): void {
  for (let at = 11; at > 3; at--) {
    iv[at] = (iv[at]! + 1) & 255
    if (iv[at] !== 0) return
  }
}

/** One packet is written at a time, and is sealed before the next: all are written in the same place. */
function reuse(cipher: Sealing): void {
  const place = Buffer.alloc(longest)
  const key = (cipher._encKey = createSecretKey(cipher._encKey as Buffer))
  cipher.allocPacket = (payload) => {
    let padding = block - ((1 + payload) % block)
    if (padding < 4) padding += block
    const size = 4 + 1 + payload + padding
    const packet = size > longest ? Buffer.allocUnsafe(size) : place.subarray(0, size)
    packet.writeUInt32BE(size - 4)
    packet[4] = padding
    pad(packet, 5 + payload)
    return packet
  }
  cipher.encrypt = (packet) => {
    if (cipher._dead) return
    const sealing = createCipheriv(cipher._encSSLName, key, cipher._encIV)
    // Sent later, when the place holds another packet.
    const length = Buffer.from(packet.subarray(0, 4))
    sealing.setAAD(length)
    cipher._onWrite(length)
    cipher._onWrite(sealing.update(packet.subarray(4)))
    sealing.final()
    cipher._onWrite(sealing.getAuthTag())
    next(cipher._encIV)
    cipher.outSeqno = (cipher.outSeqno + 1) >>> 0
  }
}

/**
 * Makes a connection's AES-GCM cheaper than ssh2's own: no buffer for what is about to be encrypted, no random bytes
 * and no reading of the key for each packet. Other ciphers stay as they are.
 */
export function seal(client: Connection): void {
  const { _protocol } = client as unknown as Inner
  client.on('handshake', () => {
    const { _cipher: cipher, _decipher: decipher } = _protocol
    if (cipher._encSSLName?.endsWith('-gcm')) reuse(cipher as Sealing)
    if (decipher._decipherSSLName?.endsWith('-gcm'))
      decipher._decipherKey = createSecretKey(decipher._decipherKey as Buffer)
  })
}
