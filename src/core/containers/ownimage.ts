import type { Image } from '../model/image.ts'
import type { Tables } from '../store/store.ts'
import { lockMember, reserve } from './admit.ts'
import { mayUse } from './allow.ts'

/** What is known of an image that has just come to be in the engine. */
export type Made = Pick<Image, 'engineId' | 'engineRef' | 'size' | 'layers' | 'ssh' | 'source' | 'about' | 'hostId'>

/** What else has, or had, the name of an image that was made. */
export type Beside = { replaced?: string; hides?: boolean }

/**
 * Records an image as its owner's own, in the place of the one that they called so before. Its size counts from here on,
 * not from the next measuring. Safe to repeat with the same id.
 * @returns the engine's name of the one before, which nobody has any more; whether it hides an offered one of that name
 */
export async function keepImage(
  tx: Tables,
  { id, ownerId, ref, now }: { id: string; ownerId: string; ref: string; now: Date },
  made: Made,
): Promise<Beside> {
  const member = await lockMember(tx, ownerId)
  const offered = await tx.images.byRef(null, ref)
  const hides = offered && mayUse(offered, ownerId, member.grants) ? { hides: true } : {}
  const old = await tx.images.byRef(ownerId, ref)
  if (old?.engineRef === made.engineRef) return hides
  if (old) await tx.images.update(old.id, { ...made, createdAt: now })
  else {
    await reserve(tx, member, { images: 1 })
    await tx.images.insert({ id, ownerId, ref, ...made })
  }
  await tx.people.setUsage(ownerId, { disk: Math.max(0, member.used.disk + made.size - (old?.size ?? 0)) })
  return { ...hides, ...(old ? { replaced: old.engineRef } : {}) }
}

/** What is said of the others of an image's name, to stand behind a sentence. */
export const besides = ({ replaced, hides }: Beside): string =>
  (replaced ? ' The image that had this name before is gone; containers made from it go on.' : '') +
  (hides ? ' For you it stands before the offered image of this name, until rmi.' : '')

/**
 * Forgets an image as it was under this tag, and counts its size no more; already gone is success.
 * @returns false where another has taken its name since, which stays
 */
export async function forgetImage(tx: Tables, id: string, engineRef: string): Promise<boolean> {
  const image = await tx.images.byId(id)
  if (!image) return true
  if (image.ownerId !== null) await tx.people.lockUsage(image.ownerId)
  const now = await tx.images.byId(id)
  if (now && now.engineRef !== engineRef) return false
  await tx.images.remove(id)
  return true
}
