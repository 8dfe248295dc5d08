import { generateKeyPairSync } from 'node:crypto'

/** A new ed25519 key in its wire form (RFC 8709 section 4), as one line of a .pub file. */
export function publicKey(comment = 'test@laptop'): string {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer).swap32(), bytes])
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.from(x!, 'base64url'))])
  return `ssh-ed25519 ${blob.toString('base64')} ${comment}`.trimEnd()
}
