import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { DcmError } from '../reply/error.ts'

/** Keeps secrets at rest: what is sealed for one row opens for that row alone. */
export type Seal = {
  seal(text: string, rowId: string): string
  /** @throws DcmError `unavailable` when it was sealed with another key, for another row, or was changed */
  open(sealed: string, rowId: string): string
}

const version = 'v1'
const [nonceBytes, tagBytes] = [12, 16]

/** A key for one use, so that what is sealed for one purpose never opens for another (RFC 5869 section 3.2). */
const derive = (masterKey: Buffer, purpose: string) =>
  Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `dcm/${version}/${purpose}`, 32))

// The length keeps version and row apart, so that no two pairs of them make the same bytes.
const bound = (rowId: string) => Buffer.from(`${version}:${Buffer.byteLength(rowId)}:${rowId}`)

/**
 * Makes a Seal: AES-256-GCM (NIST SP 800-38D) with a random nonce, the row's id as associated data, and the version in
 * front, so that a later form can be told from this one.
 * @param masterKey at least 32 random bytes
 */
export function createSeal(masterKey: Buffer, purpose = 'rows'): Seal {
  if (masterKey.length < 32) throw new Error('The master key needs at least 32 bytes.')
  const key = derive(masterKey, purpose)
  return {
    seal(text, rowId) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound(rowId))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `${version}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
    },
    open(sealed, rowId) {
      try {
        const [form, encoded, more] = sealed.split('.')
        if (form !== version || encoded === undefined || more !== undefined) throw new Error('not of this form')
        const bytes = Buffer.from(encoded, 'base64url')
        if (bytes.length < nonceBytes + tagBytes) throw new Error('too short')
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        })
        decipher.setAAD(bound(rowId)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString(
          'utf8',
        )
      } catch (cause) {
        const sentence =
          'A stored secret does not open with the present DCM_SECRET_KEY; an admin has to bring back the one it was sealed with.'
        throw new DcmError('unavailable', sentence, { cause })
      }
    },
  }
}
