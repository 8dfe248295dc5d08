import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { describe, expect, test } from 'vitest'
import {
  authorizedKeys,
  createHostKey,
  formatKey,
  hostKeyFingerprint,
  parsePublicKey,
} from '../../../src/core/secret/keys.ts'

const packed = (...parts: (Buffer | string)[]): string =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
      const size = Buffer.alloc(4)
      size.writeUInt32BE(bytes.length)
      return [size, bytes]
    }),
  ).toString('base64')

const point = Buffer.alloc(32, 7)
const modulus = (bits: number) =>
  Buffer.concat([Buffer.from([0, 0x80]), Buffer.alloc(bits / 8 - 2, 0xaa), Buffer.from([0xab])])
const exponent = Buffer.from([1, 0, 1])
const ed25519 = packed('ssh-ed25519', point)
const line = `ssh-ed25519 ${ed25519}`

const accept = (text: string) => {
  const key = parsePublicKey(text)
  if ('reason' in key) throw new Error(key.reason)
  return key
}

describe('public keys that are taken', () => {
  const curve = (name: string, size: number) =>
    packed(`ecdsa-sha2-${name}`, name, Buffer.concat([Buffer.from([4]), Buffer.alloc(2 * size, 3)]))
  test.each([
    ['ssh-ed25519', ed25519, 256],
    ['ssh-rsa', packed('ssh-rsa', exponent, modulus(2048)), 2048],
    ['ssh-rsa', packed('ssh-rsa', exponent, modulus(4096)), 4096],
    ['ecdsa-sha2-nistp256', curve('nistp256', 32), 256],
    ['ecdsa-sha2-nistp384', curve('nistp384', 48), 384],
    ['ecdsa-sha2-nistp521', curve('nistp521', 66), 521],
    ['sk-ssh-ed25519@openssh.com', packed('sk-ssh-ed25519@openssh.com', point, 'ssh:'), 256],
    [
      'sk-ecdsa-sha2-nistp256@openssh.com',
      packed(
        'sk-ecdsa-sha2-nistp256@openssh.com',
        'nistp256',
        Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 3)]),
        'ssh:',
      ),
      256,
    ],
  ])('%s of %# is re-emitted as bare type and blob', (type, blob, bits) => {
    const key = accept(`  ${type}\t${blob}  alice at home \r\n`)
    expect(key).toMatchObject({ type, blob, bits, comment: 'alice at home' })
    expect(formatKey(key)).toBe(`${type} ${blob}`)
  })

  test('several make one file, a line each, whatever their comments held', () => {
    const keys = [accept(`${line} one`), accept(`${line} "x" command="y"`)]
    expect(authorizedKeys(keys)).toBe(`${line}\n${line}\n`)
  })

  test("ssh-keygen's own keys are read, with the fingerprint that it shows", () => {
    const folder = mkdtempSync(join(tmpdir(), 'dcm-keys-'))
    try {
      for (const [type, bits] of [
        ['ed25519', '256'],
        ['rsa', '2048'],
        ['ecdsa', '384'],
      ] as const) {
        const file = join(folder, type)
        execFileSync('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-C', 'me@here', '-f', file])
        const key = accept(readFileSync(`${file}.pub`, 'utf8'))
        const shown = execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { encoding: 'utf8' }).split(' ')
        expect([String(key.bits), key.fingerprint, key.comment]).toEqual([shown[0], shown[1], 'me@here'])
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('E01, E02, E03: texts that are no key to take', () => {
  const secret = createHostKey().privateKey
  test.each([
    ['a command before it', `command="sh" ${line}`, /Options/],
    ['a source address before it', `from="10.0.0.1" ${line}`, /Options/],
    ['an environment before it', `environment="A=b" ${line}`, /Options/],
    ['cert-authority before it', `cert-authority ${line}`, /Options/],
    ['permitopen before it', `permitopen="a:1" ${line}`, /Options/],
    ['restrict,pty before it', `restrict,pty ${line}`, /Options/],
    ['an option with a blank in it', `command="a b" ${line}`, /Options/],
    ['two keys on two lines', `${line}\n${line}`, /one key at a time/],
    ['a second key behind a blank line', `${line}\n\nssh-rsa AAAA`, /one key at a time/],
    ['two keys on one line', `${line} ${line}`, /one key at a time/],
    ['a carriage return inside', `${line}\r${line}`, /one key at a time/],
    ['a line end written out', `${line}\\nssh-rsa AAAA`, /damaged/],
    ['a line separator', `${line}\u2028${line}`, /one key at a time/],
    ['NUL', `${line}\0`, /invisible/],
    ['a byte order mark', `\ufeff${line}`, /invisible/],
    ['a direction mark in the comment', `${line} a\u202eb`, /invisible/],
    ['an escape in the comment', `${line} a\u001b[2J`, /invisible/],
    ['a private key', secret, /private key/],
    ['a private key without its first dashes', secret.slice(5), /private key/],
    ['the middle of a private key', secret.split('\n').slice(1, 3).join('\n'), /private key/],
    ['a PuTTY private key', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none', /private key/],
    ['a PEM private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE', /private key/],
    ['the RFC 4716 form', '---- BEGIN SSH2 PUBLIC KEY ----\nAAAA', /format/],
    ['DSA', `ssh-dss ${packed('ssh-dss', point)}`, /DSA/],
    ['RSA of 1024 bits', `ssh-rsa ${packed('ssh-rsa', exponent, modulus(1024))}`, /1024 bits/],
    ['RSA with a huge modulus', `ssh-rsa ${packed('ssh-rsa', exponent, modulus(32_768))}`, /too long|damaged/],
    ['RSA with an even exponent', `ssh-rsa ${packed('ssh-rsa', Buffer.from([2]), modulus(2048))}`, /damaged/],
    ['RSA with a negative modulus', `ssh-rsa ${packed('ssh-rsa', exponent, Buffer.alloc(256, 0xff))}`, /damaged/],
    ['another type in the blob', `ssh-rsa ${ed25519}`, /not of the type/],
    ['another type in the word', `ecdsa-sha2-nistp256 ${ed25519}`, /not of the type/],
    [
      'another curve in the blob',
      `ecdsa-sha2-nistp256 ${packed('ecdsa-sha2-nistp256', 'nistp384', Buffer.alloc(65, 4))}`,
      /damaged/,
    ],
    [
      'a compressed point',
      `ecdsa-sha2-nistp256 ${packed('ecdsa-sha2-nistp256', 'nistp256', Buffer.alloc(33, 2))}`,
      /damaged/,
    ],
    ['a short point', `ssh-ed25519 ${packed('ssh-ed25519', point.subarray(1))}`, /damaged/],
    ['something behind the key', `ssh-ed25519 ${packed('ssh-ed25519', point, 'x')}`, /damaged/],
    ['a cut blob', `ssh-ed25519 ${Buffer.from(ed25519, 'base64').subarray(0, 40).toString('base64')}`, /missing/],
    ['bad base64', 'ssh-ed25519 AAAA!', /base64/],
    ['base64 in the other alphabet', `ssh-ed25519 ${ed25519.slice(0, -4)}_-__`, /base64/],
    ['no blob', 'ssh-ed25519', /damaged|base64/],
    ['a certificate', `ssh-ed25519-cert-v01@openssh.com ${ed25519}`, /Certificates/],
    ['an unknown type', `ssh-mldsa65@openssh.com ${ed25519}`, /type/],
    ['something else', 'hello', /not an OpenSSH/],
    ['nothing', ' \n', /no key/],
    ['1 MB', 'A'.repeat(2 ** 20), /too long/],
  ])('%s is refused with a reason that repeats nothing', (_, text, reason) => {
    const answer = parsePublicKey(text)
    expect(answer).toHaveProperty('reason', expect.stringMatching(reason))
    const words = 'reason' in answer ? answer.reason : ''
    expect(words).toMatch(/^[^\n]+\.$/)
    for (const piece of text.match(/[A-Za-z0-9+/]{24,}/g) ?? []) expect(words).not.toContain(piece)
  })
})

describe('host keys', () => {
  test('each is another, and OpenSSH and ssh2 read it with the same fingerprint', () => {
    const [one, other] = [createHostKey(), createHostKey()]
    expect(one.fingerprint).not.toBe(other.fingerprint)
    expect(accept(one.publicKey).fingerprint).toBe(one.fingerprint)
    expect(hostKeyFingerprint(one.privateKey)).toBe(one.fingerprint)
    const parsed = ssh2.utils.parseKey(one.privateKey)
    if (parsed instanceof Error) throw parsed
    expect(`ssh-ed25519 ${parsed.getPublicSSH().toString('base64')}`).toBe(one.publicKey)
    const folder = mkdtempSync(join(tmpdir(), 'dcm-keys-'))
    try {
      writeFileSync(join(folder, 'key'), one.privateKey, { mode: 0o600 })
      expect(execFileSync('ssh-keygen', ['-y', '-f', join(folder, 'key')], { encoding: 'utf8' }).trim()).toBe(
        one.publicKey,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('a text that is no private key has no fingerprint', () => {
    for (const text of ['', 'key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n'])
      expect(hostKeyFingerprint(text)).toBeUndefined()
  })
})
