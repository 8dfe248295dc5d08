import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'

/** What an SSH client says with a public key in a login request (RFC 4252 section 7), as ssh2 hands it over. */
export type Claim = {
  /** The key's type: `ssh-rsa` also for the rsa-sha2 algorithms, which `hash` tells apart. */
  type: string
  /** The key, RFC 4253 section 6.6. */
  blob: Buffer
  hash: string | undefined
  /** Without the name of its algorithm in front; ECDSA's as DER. */
  signature: Buffer
  /** What was signed: session id and request. */
  data: Buffer
}

/** Reads length-prefixed strings (RFC 4251 section 5); undefined when they do not come out even. */
function fields(bytes: Buffer, most = 8): Buffer[] | undefined {
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length || found.length === most) return undefined
    const size = bytes.readUInt32BE(at)
    if (size > bytes.length - at - 4) return undefined
    found.push(bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return found
}

const curves: Record<string, { crv: string; hash: string; size: number }> = {
  'ecdsa-sha2-nistp256': { crv: 'P-256', hash: 'sha256', size: 32 },
  'ecdsa-sha2-nistp384': { crv: 'P-384', hash: 'sha384', size: 48 },
  'ecdsa-sha2-nistp521': { crv: 'P-521', hash: 'sha512', size: 66 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { crv: 'P-256', hash: 'sha256', size: 32 },
}

const hashes: Record<string, readonly (string | undefined)[]> = {
  'ssh-ed25519': [undefined],
  'sk-ssh-ed25519@openssh.com': [undefined],
  // rsa-sha2-256 and rsa-sha2-512 (RFC 8332); `ssh-rsa` itself would be SHA-1.
  'ssh-rsa': ['sha256', 'sha512'],
  ...Object.fromEntries(Object.keys(curves).map((type) => [type, [undefined]])),
}

const ed25519 = (point: Buffer): KeyObject =>
  createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') }, format: 'jwk' })

function curve({ crv, size }: { crv: string; size: number }, point: Buffer): KeyObject | undefined {
  if (point.length !== 2 * size + 1 || point[0] !== 4) return undefined
  const [x, y] = [point.subarray(1, size + 1), point.subarray(size + 1)].map((half) => half.toString('base64url'))
  return createPublicKey({ key: { kty: 'EC', crv, x: x!, y: y! }, format: 'jwk' })
}

/** Whether a key is of a kind that may sign in at all, and is what its type says: no certificate, no DSA, no SHA-1. */
export function acceptable({ type, blob, hash }: Pick<Claim, 'type' | 'blob' | 'hash'>): boolean {
  return (
    (Object.hasOwn(hashes, type) && hashes[type]!.includes(hash) && fields(blob)?.[0]?.toString('latin1') === type) ===
    true
  )
}

/** A security key's signature (OpenSSH's PROTOCOL.u2f): the device signs digests, its flags and its counter. */
function secured(parts: Buffer[], claim: Claim): { signature: Buffer; data: Buffer } | undefined {
  const sized = claim.type.startsWith('sk-ssh') ? 64 : claim.signature.length - 5
  if (claim.signature.length !== sized + 5 || sized < 1) return undefined
  const rest = claim.signature.subarray(sized)
  // Bit 0: somebody touched it.
  if ((rest[0]! & 1) !== 1) return undefined
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
  return {
    signature: claim.signature.subarray(0, sized),
    data: Buffer.concat([digest(parts.at(-1)!), rest, digest(claim.data)]),
  }
}

/** Two positive integers as ASN.1 DER, which is how node:crypto takes an ECDSA signature. */
function der(signature: Buffer): Buffer | undefined {
  const numbers = fields(signature, 2)
  if (numbers?.length !== 2) return undefined
  const body = Buffer.concat(numbers.map((number) => Buffer.concat([Buffer.from([2, number.length]), number])))
  return body.length < 128 ? Buffer.concat([Buffer.from([0x30, body.length]), body]) : undefined
}

/**
 * Whether the signature is the key's. Done with node:crypto, whose answer is a boolean: ssh2's own `verify` gives an
 * Error object, which is truthy, for a bad signature.
 */
export function proves(claim: Claim): boolean {
  try {
    const { type, blob, hash, signature, data } = claim
    const parts = fields(blob)
    if (!acceptable(claim) || !parts) return false
    switch (type) {
      case 'ssh-ed25519':
        return (
          parts.length === 2 && signature.length === 64 && verify(null, data, ed25519(parts[1]!), signature) === true
        )
      case 'ssh-rsa': {
        if (parts.length !== 3) return false
        const [e, n] = [parts[1]!, parts[2]!].map((number) => number.toString('base64url'))
        return (
          verify(hash, data, createPublicKey({ key: { kty: 'RSA', e: e!, n: n! }, format: 'jwk' }), signature) === true
        )
      }
      case 'sk-ssh-ed25519@openssh.com': {
        const signed = parts.length === 3 ? secured(parts, claim) : undefined
        return signed !== undefined && verify(null, signed.data, ed25519(parts[1]!), signed.signature) === true
      }
      default: {
        const kind = curves[type]!
        const key = curve(kind, parts[2] ?? Buffer.alloc(0))
        if (!key || parts[1]?.toString('latin1') !== `nistp${kind.crv.slice(2)}`) return false
        if (!type.startsWith('sk-')) return parts.length === 3 && verify(kind.hash, data, key, signature) === true
        const signed = parts.length === 4 ? secured(parts, claim) : undefined
        const asn1 = signed && der(signed.signature)
        return asn1 !== undefined && verify(kind.hash, signed!.data, key, asn1) === true
      }
    }
  } catch {
    // What node:crypto cannot even read is nobody's signature.
    return false
  }
}
