import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHostKey, type HostKey, readHostKey } from '../core/secret/keys.ts'

/** Reads a file of the data folder, or makes it with mode 0600: once, and never over one that is there. */
function keep(path: string, make: () => string): string {
  if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(path, 0o600)
  return readFileSync(path, 'utf8').trim()
}

/**
 * The key that secrets are sealed with: the configured one, or a file of the data folder.
 * @throws Error when that file does not hold 64 hex digits
 */
export function secretKey(configured: Buffer | undefined, dataDir: string): Buffer {
  if (configured) return configured
  const text = keep(join(dataDir, 'secret.key'), () => randomBytes(32).toString('hex'))
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new Error('secret.key in the data folder does not hold 64 hex digits; restore it from a backup.')
  return Buffer.from(text, 'hex')
}

/**
 * The SSH door's own host key: made once, then the same in every life, for clients remember it.
 * @throws Error when the file does not hold a key
 */
export function doorKey(dataDir: string): HostKey {
  const text = keep(join(dataDir, 'ssh_host_ed25519_key'), () => createHostKey().privateKey.trim())
  const key = readHostKey(`${text}\n`)
  if (!key)
    throw new Error(
      'ssh_host_ed25519_key in the data folder is no ed25519 key; restore it from a backup, or remove it for a new one.',
    )
  return key
}

/** What this data folder's processes are known by, from one life to the next: only they may free what earlier ones held. */
export const holderName = (dataDir: string): string =>
  keep(join(dataDir, 'holder'), () => randomBytes(9).toString('base64url'))
