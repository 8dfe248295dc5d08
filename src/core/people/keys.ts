import type { Context } from '../command/context.ts'
import type { Key } from '../command/views.ts'
import { newId, type Random } from '../model/id.ts'
import { refuseFileName } from '../model/name.ts'
import { DcmError } from '../reply/error.ts'
import { parsePublicKey, type PublicKey } from '../secret/keys.ts'
import { violated } from '../store/db.ts'
import type { KeyRow } from '../store/keys.ts'
import type { Store, Tables } from '../store/store.ts'
import { lockPresent } from './present.ts'

/** More than this is a mistake, and sshd reads the whole file at every login. */
const most = 50

export type KeyDeps = {
  store: Store
  random: Random
  /** Brings a member's keys to all of their containers at once. What a crash before it leaves is put right by reconciling. */
  onKeys(ownerId: string): Promise<void>
}

/** A key as anyone may see it: without its blob. */
export const toKey = ({ id, ownerId, type, fingerprint, comment, createdAt }: KeyRow): Key => ({
  id,
  ownerId,
  type,
  fingerprint,
  comment,
  createdAt,
})

/** @throws DcmError `usage` with the reason when the text is not one acceptable OpenSSH public key; of the text it repeats at most the name of a file */
export function readKey(text: string): PublicKey {
  const key = parsePublicKey(text)
  const file = 'reason' in key && /^@|\.pub$/.test(text) && refuseFileName(text)
  if (file) throw new DcmError('usage', file, { try: 'help key add' })
  if ('reason' in key) throw new DcmError('usage', key.reason, { try: 'help key add' })
  return key
}

/** Stores a key that is new to everyone. @throws on the unique index `keys_fingerprint` */
export async function insertKey(tx: Tables, ownerId: string, key: PublicKey, random: Random): Promise<Key> {
  const { type, blob, fingerprint, comment } = key
  return toKey(await tx.keys.insert({ id: newId(random), ownerId, type, blob, fingerprint, comment }))
}

/** A key proves who someone is, so it belongs to one member. The words do not tell whose it is. */
export const keyTaken = (cause?: unknown): DcmError =>
  new DcmError('conflict', 'That key is in use here already; make another one with: ssh-keygen -t ed25519.', { cause })

/** Tells containers of a change that is stored; @throws DcmError `unavailable` when they could not be told yet */
export async function spread(deps: Pick<KeyDeps, 'onKeys'>, ownerId: string): Promise<void> {
  try {
    await deps.onKeys(ownerId)
  } catch (cause) {
    const sentence =
      'The change is stored, but not every container could be told yet; DCM goes on trying, and doing it again is safe.'
    throw new DcmError('unavailable', sentence, { cause })
  }
}

/** Members' public keys. */
export function createKeys(deps: KeyDeps): Context['keys'] {
  const { store, random } = deps

  async function add(ownerId: string, text: string): Promise<Key> {
    const key = readKey(text)
    const insert = () =>
      store.tx(async (tx) => {
        await lockPresent(tx, ownerId)
        const present = await tx.keys.of(ownerId)
        const same = present.find((one) => one.fingerprint === key.fingerprint)
        if (same) return toKey(same)
        if (present.length >= most)
          throw new DcmError('limited', `A member has at most ${most} keys; remove one first.`, { try: 'key ls' })
        return insertKey(tx, ownerId, key, random)
      })
    const stored = await insert().catch((error: unknown) => {
      throw violated(error) === 'keys_fingerprint' ? keyTaken(error) : error
    })
    await spread(deps, ownerId)
    return stored
  }

  async function find(tx: Pick<Tables, 'keys'>, ownerId: string, which: string): Promise<Key> {
    const present = await tx.keys.of(ownerId)
    const exact = present.filter(
      (key) => key.id === which || key.fingerprint === which || key.fingerprint === `SHA256:${which}`,
    )
    const found = exact.length > 0 ? exact : present.filter((key) => key.comment !== '' && key.comment === which)
    if (found.length > 1)
      throw new DcmError(
        'conflict',
        `${found.length} keys have that comment; name one by its id: ${found.map((key) => key.id).join(', ')}.`,
        { try: 'key ls' },
      )
    if (!found[0])
      throw new DcmError('not_found', 'There is no such key; key ls shows them with their ids.', { try: 'key ls' })
    return toKey(found[0])
  }

  async function remove(ownerId: string, which: string): Promise<Key> {
    const removed = await store.tx(async (tx) => {
      const key = await find(tx, ownerId, which)
      await tx.keys.remove(ownerId, key.id)
      return key
    })
    await spread(deps, ownerId)
    return removed
  }

  return {
    add,
    find: (ownerId, which) => find(store, ownerId, which),
    remove,
    list: async (ownerId) => (await store.keys.of(ownerId)).map(toKey),
  }
}
