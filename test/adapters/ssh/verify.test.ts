import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { acceptable, type Claim, proves } from '../../../src/adapters/ssh/verify.ts'

const packed = (...parts: (Buffer | string)[]) =>
  Buffer.concat(
    parts.flatMap((part) => {
      const size = Buffer.alloc(4)
      size.writeUInt32BE(Buffer.byteLength(part))
      return [size, Buffer.from(part as string)]
    }),
  )
const b64 = (text: string | undefined) => Buffer.from(text!, 'base64url')
const mpint = (bytes: Buffer) => (bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
const data = randomBytes(120)

/** A key of each kind with a good signature over `data`, as a client sends them. */
type Signer = { claim: Claim }

function ed25519(): Signer & { key: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const blob = packed('ssh-ed25519', b64(publicKey.export({ format: 'jwk' }).x))
  return {
    key: privateKey,
    claim: { type: 'ssh-ed25519', blob, hash: undefined, data, signature: sign(null, data, privateKey) },
  }
}

function rsa(hash: 'sha256' | 'sha512' | 'sha1'): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { e, n } = publicKey.export({ format: 'jwk' })
  const blob = packed('ssh-rsa', mpint(b64(e)), mpint(b64(n)))
  return {
    claim: {
      type: 'ssh-rsa',
      blob,
      hash: hash === 'sha1' ? undefined : hash,
      data,
      signature: sign(hash, data, privateKey),
    },
  }
}

function ecdsa(curve: '256' | '384' | '521'): Signer & { key: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: `P-${curve}` })
  const { x, y } = publicKey.export({ format: 'jwk' })
  const blob = packed(`ecdsa-sha2-nistp${curve}`, `nistp${curve}`, Buffer.concat([Buffer.from([4]), b64(x), b64(y)]))
  const signature = sign({ 256: 'sha256', 384: 'sha384', 521: 'sha512' }[curve], data, privateKey)
  return { key: privateKey, claim: { type: `ecdsa-sha2-nistp${curve}`, blob, hash: undefined, data, signature } }
}

const digest = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest()
/** What a security key signs; `flags` 1: somebody touched it. */
const touched = (flags: number) => {
  const rest = Buffer.from([flags, 0, 0, 0, 9])
  return { rest, signed: Buffer.concat([digest('ssh:'), rest, digest(data)]) }
}

function skEd25519(flags = 1): Signer {
  const { key, claim } = ed25519()
  const point = claim.blob.subarray(-32)
  const { rest, signed } = touched(flags)
  const type = 'sk-ssh-ed25519@openssh.com'
  return {
    claim: {
      ...claim,
      type,
      blob: packed(type, point, 'ssh:'),
      signature: Buffer.concat([sign(null, signed, key), rest]),
    },
  }
}

function skEcdsa(flags = 1): Signer {
  const { key, claim } = ecdsa('256')
  const point = claim.blob.subarray(-65)
  const { rest, signed } = touched(flags)
  const raw = sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' })
  const strip = (half: Buffer) => mpint(half.subarray(half.findIndex((byte) => byte !== 0)))
  const type = 'sk-ecdsa-sha2-nistp256@openssh.com'
  return {
    claim: {
      ...claim,
      type,
      blob: packed(type, 'nistp256', point, 'ssh:'),
      signature: Buffer.concat([packed(strip(raw.subarray(0, 32)), strip(raw.subarray(32))), rest]),
    },
  }
}

const kinds: [string, () => Signer][] = [
  ['ed25519', ed25519],
  ['rsa-sha2-256', () => rsa('sha256')],
  ['rsa-sha2-512', () => rsa('sha512')],
  ['ecdsa 256', () => ecdsa('256')],
  ['ecdsa 384', () => ecdsa('384')],
  ['ecdsa 521', () => ecdsa('521')],
  ['a security key, ed25519', skEd25519],
  ['a security key, ecdsa', skEcdsa],
]

describe.for(kinds)('%s', ([, make]) => {
  const { claim } = make()

  test('a good signature is taken, with a boolean', () => {
    expect(proves(claim)).toBe(true)
  })

  test('F01: no other signature, data or key is', () => {
    expect(proves({ ...claim, data: Buffer.concat([data, Buffer.from([0])]) })).toBe(false)
    expect(proves({ ...claim, signature: Buffer.alloc(0) })).toBe(false)
    expect(proves({ ...claim, signature: randomBytes(claim.signature.length) })).toBe(false)
    expect(proves({ ...claim, blob: make().claim.blob })).toBe(false)
    fc.assert(
      fc.property(fc.nat(claim.signature.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const signature = Buffer.from(claim.signature)
        signature[at] = signature[at]! ^ change
        expect(proves({ ...claim, signature })).toBe(false)
      }),
      { numRuns: 50 },
    )
  })

  test('F01: nor under another type', () => {
    for (const [, other] of kinds) {
      const { type } = other().claim
      if (type !== claim.type) expect(proves({ ...claim, type })).toBe(false)
    }
    expect(proves({ ...claim, type: `${claim.type.replace('@openssh.com', '')}-cert-v01@openssh.com` })).toBe(false)
  })
})

test('F01: SHA-1, DSA, certificates and what is no key at all are not accepted', () => {
  const old = rsa('sha1').claim
  expect(acceptable(old)).toBe(false)
  expect(proves(old)).toBe(false)
  for (const type of ['ssh-dss', 'ssh-ed25519-cert-v01@openssh.com', 'constructor', '__proto__', ''])
    expect(acceptable({ type, blob: packed(type), hash: undefined })).toBe(false)
  expect(acceptable({ type: 'ssh-ed25519', blob: packed('ssh-rsa', 'x'), hash: undefined })).toBe(false)
  expect(acceptable({ type: 'ssh-ed25519', blob: Buffer.from([0, 0, 0, 255, 1]), hash: undefined })).toBe(false)
})

test('a security key that nobody touched proves nothing', () => {
  expect(proves(skEd25519(0).claim)).toBe(false)
  expect(proves(skEcdsa(0).claim)).toBe(false)
})

test('no bytes make it throw', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((list) => Buffer.from(list))
  const types = fc.constantFrom(...kinds.map(([, make]) => make().claim.type), 'ssh-dss')
  fc.assert(
    fc.property(
      types,
      bytes,
      bytes,
      bytes,
      fc.constantFrom(undefined, 'sha256', 'md5'),
      (type, tail, signature, signed, hash) => {
        expect(proves({ type, blob: Buffer.concat([packed(type), tail]), hash, signature, data: signed })).toBe(false)
      },
    ),
    { numRuns: 500 },
  )
})
