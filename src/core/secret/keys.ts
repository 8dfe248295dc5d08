import { createHash, generateKeyPairSync } from 'node:crypto'

/** A member's public key as DCM keeps it: no options, and the comment only for telling keys apart. */
export type PublicKey = {
  type: string
  /** The key in the form of RFC 4253 section 6.6, base64 with padding. */
  blob: string
  /** `SHA256:` and base64 without padding, as ssh-keygen -l shows it. */
  fingerprint: string
  comment: string
  bits: number
}

/** Why a text is no key that DCM takes, in one sentence that never repeats the text. */
export type Refusal = { reason: string }

const largestText = 16 * 1024

/**
 * Smaller RSA keys are refused. 2048 bits is what NIST SP 800-131A still allows and what older ssh-keygen made by
 * default (OpenSSH itself takes 1024); asking 3072 would turn away keys that members rightly use.
 */
const leastRsaBits = 2048

const say = (reason: string): Refusal => ({ reason })

/** Without the blanks around it and one line end behind it; by hand, since a pattern would look at each blank again and again. */
function trim(text: string): string {
  let [from, to] = [0, text.length]
  if (text.endsWith('\n')) to -= text.endsWith('\r\n') ? 2 : 1
  const blank = (at: number) => text[at] === ' ' || text[at] === '\t'
  while (from < to && blank(from)) from++
  while (to > from && blank(to - 1)) to--
  return text.slice(from, to)
}

const curves: Record<string, { name: string; size: number; bits: number }> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', size: 32, bits: 256 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', size: 48, bits: 384 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', size: 66, bits: 521 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { name: 'nistp256', size: 32, bits: 256 },
}

/** Reads length-prefixed strings (RFC 4251 section 5). @returns undefined when the bytes do not come out even. */
function fields(bytes: Buffer): Buffer[] | undefined {
  const found: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + 4 > bytes.length || found.length === 8) return undefined
    const size = bytes.readUInt32BE(at)
    if (size > bytes.length - at - 4) return undefined
    found.push(bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return found
}

/** Bits of a positive mpint (RFC 4251 section 5); undefined for a negative, empty or padded one. */
function mpintBits(bytes: Buffer): number | undefined {
  if (bytes.length === 0 || bytes[0]! >= 0x80) return undefined
  if (bytes[0] === 0 && (bytes.length === 1 || bytes[1]! < 0x80)) return undefined
  const rest = bytes[0] === 0 ? bytes.subarray(1) : bytes
  return (rest.length - 1) * 8 + (32 - Math.clz32(rest[0]!))
}

/** Proves a blob by its type. @returns its bits, or why it is refused */
function prove(type: string, parts: Buffer[]): number | Refusal {
  const broken = say('The key is damaged: its content is not that of its type.')
  const curve = curves[type]
  if (curve) {
    const [, name, point, application] = parts
    if (parts.length !== (type.startsWith('sk-') ? 4 : 3) || name?.toString('latin1') !== curve.name) return broken
    // SEC 1 section 2.3.3: an uncompressed point (RFC 5656 section 3.1).
    if (point?.length !== 2 * curve.size + 1 || point[0] !== 4) return broken
    return application !== undefined && application.length === 0 ? broken : curve.bits
  }
  switch (type) {
    // RFC 8709 section 4.
    case 'ssh-ed25519':
      return parts.length === 2 && parts[1]!.length === 32 ? 256 : broken
    // OpenSSH's PROTOCOL.u2f.
    case 'sk-ssh-ed25519@openssh.com':
      return parts.length === 3 && parts[1]!.length === 32 && parts[2]!.length > 0 ? 256 : broken
    case 'ssh-rsa': {
      if (parts.length !== 3) return broken
      const [exponent, bits] = [mpintBits(parts[1]!), mpintBits(parts[2]!)]
      if (exponent === undefined || bits === undefined || exponent < 2 || bits > 16_384) return broken
      if ((parts[1]!.at(-1)! & 1) === 0) return broken
      if (bits < leastRsaBits)
        return say(
          `The RSA key has ${bits} bits, and at least ${leastRsaBits} are needed; make one with: ssh-keygen -t ed25519.`,
        )
      return bits
    }
    default:
      return say('The key is of a type that is not accepted; make one with: ssh-keygen -t ed25519.')
  }
}

const accepted = new Set(['ssh-ed25519', 'ssh-rsa', 'sk-ssh-ed25519@openssh.com', ...Object.keys(curves)])
const looksLikeType = /^(?:sk-)?(?:ssh|ecdsa)-[a-z0-9-]+(?:@openssh\.com)?$/

/** The fingerprint that ssh-keygen -l shows for a blob. */
export const fingerprintOf = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`

/**
 * Reads one OpenSSH public key as a member pastes it. Nothing but type and blob is kept, so no option can come along.
 * @returns the key, or why it is refused
 */
export function parsePublicKey(text: string): PublicKey | Refusal {
  if (text.length > largestText) return say('The key is too long; paste one line from a file that ends in .pub.')
  if (/BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File|b3BlbnNzaC1rZXktdj/i.test(text))
    return say(
      'This is a private key, which nobody else should see: paste the public one, from the file that ends in .pub, and consider this one lost.',
    )
  const line = trim(text)
  if (line === '') return say('There is no key; paste the line from a file that ends in .pub.')
  if (line.startsWith('---- BEGIN SSH2') || line.startsWith('-----BEGIN'))
    return say("The key is not in OpenSSH's format; convert it with: ssh-keygen -i -f FILE.")
  if (/[\r\n\u2028\u2029\u0085]/.test(line)) return say('Add one key at a time, on a single line.')
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.test(line))
    return say('The key holds invisible characters; paste the line from a file that ends in .pub.')
  const [type = '', body = '', ...rest] = line.split(/[ \t]+/)
  if (/-cert-v\d\d@openssh\.com$/.test(type)) return say('Certificates are not accepted; add the key itself.')
  if (type === 'ssh-dss') return say('DSA keys are too weak; make one with: ssh-keygen -t ed25519.')
  if (!accepted.has(type)) {
    if (looksLikeType.test(type))
      return say('The key is of a type that is not accepted; make one with: ssh-keygen -t ed25519.')
    if (/(?:^|[ \t])(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+[ \t]+AAAA/.test(line) || /[=,"]/.test(type))
      return say('Options before a key are not accepted; leave out what comes before its type.')
    return say('This is not an OpenSSH public key; paste the line from a file that ends in .pub.')
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return say('The key is damaged: its second word is not base64.')
  const bytes = Buffer.from(body, 'base64')
  const blob = bytes.toString('base64')
  // What decodes to the same bytes in another writing is refused too, so that one key has one spelling.
  if (blob.replace(/=+$/, '') !== body.replace(/=+$/, ''))
    return say('The key is damaged: its second word is not base64.')
  const parts = fields(bytes)
  if (!parts) return say('The key is damaged: part of it is missing.')
  if (parts[0]?.toString('latin1') !== type)
    return say('The key is damaged: it is not of the type that its first word says.')
  const bits = prove(type, parts)
  if (typeof bits !== 'number') return bits
  const comment = rest.join(' ')
  if (/(?:^| )(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+ +AAAA/.test(comment))
    return say('Add one key at a time, on a single line.')
  return { type, blob, fingerprint: fingerprintOf(bytes), comment: Array.from(comment).slice(0, 100).join(''), bits }
}

/** A key as a line of an authorized_keys file: type and blob, and nothing that the member wrote. */
export const formatKey = (key: Pick<PublicKey, 'type' | 'blob'>): string => `${key.type} ${key.blob}`

/** The content of an authorized_keys file. */
export const authorizedKeys = (keys: readonly Pick<PublicKey, 'type' | 'blob'>[]): string =>
  keys.map((key) => `${formatKey(key)}\n`).join('')

/** A container's host key: `privateKey` in OpenSSH's format, `publicKey` as one line without comment. */
export type HostKey = { privateKey: string; publicKey: string; fingerprint: string }

const packed = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
      const size = Buffer.alloc(4)
      size.writeUInt32BE(bytes.length)
      return [size, bytes]
    }),
  )

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

const magic = Buffer.from('openssh-key-v1\0', 'latin1')

/** Makes an ed25519 key pair and writes it as sshd reads it (OpenSSH's PROTOCOL.key, unencrypted). */
export function createHostKey(): HostKey {
  const pair = generateKeyPairSync('ed25519')
  const jwk = pair.privateKey.export({ format: 'jwk' })
  const [seed, point] = [Buffer.from(jwk.d!, 'base64url'), Buffer.from(jwk.x!, 'base64url')]
  const blob = packed('ssh-ed25519', point)
  const check = uint32(createHash('sha256').update(seed).digest().readUInt32BE(0))
  const secret = Buffer.concat([check, check, packed('ssh-ed25519', point, Buffer.concat([seed, point]), '')])
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, at) => at + 1))
  const file = Buffer.concat([
    magic,
    packed('none', 'none', ''),
    uint32(1),
    packed(blob, Buffer.concat([secret, padding])),
  ])
  const lines = file.toString('base64').match(/.{1,70}/g) ?? []
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `ssh-ed25519 ${blob.toString('base64')}`,
    fingerprint: fingerprintOf(blob),
  }
}

/** Fingerprint of a private key file in OpenSSH's format; undefined when it is not one. */
export function hostKeyFingerprint(privateKey: string): string | undefined {
  const blob = publicBlob(privateKey)
  return blob && fingerprintOf(blob)
}

/** Reads a host key back from its private file. @returns undefined when it is not an ed25519 key in OpenSSH's format */
export function readHostKey(privateKey: string): HostKey | undefined {
  const blob = publicBlob(privateKey)
  if (!blob || fields(blob)?.[0]?.toString('latin1') !== 'ssh-ed25519') return undefined
  return { privateKey, publicKey: `ssh-ed25519 ${blob.toString('base64')}`, fingerprint: fingerprintOf(blob) }
}

/** The public key, which stands in the clear in a private key file of OpenSSH's format. */
function publicBlob(privateKey: string): Buffer | undefined {
  const body = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*$/.exec(
    privateKey,
  )
  const bytes = Buffer.from(body?.[1] ?? '', 'base64')
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined
  let at = magic.length
  for (let skip = 0; skip < 3; skip++) {
    if (at + 4 > bytes.length) return undefined
    at += 4 + bytes.readUInt32BE(at)
  }
  at += 4
  if (at + 4 > bytes.length) return undefined
  const size = bytes.readUInt32BE(at)
  return at + 4 + size <= bytes.length ? bytes.subarray(at + 4, at + 4 + size) : undefined
}
