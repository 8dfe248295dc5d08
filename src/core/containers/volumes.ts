import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Container } from '../model/container.ts'
import { count } from '../model/count.ts'
import { newId } from '../model/id.ts'
import { type Mounted, overlap } from '../model/volume.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { violated } from '../store/db.ts'
import type { Tables } from '../store/store.ts'
import { lockMember } from './admit.ts'

/** Volumes that one member may have. */
const most = 50

/** Checks, under the owner's lock, that what a container is to mount is still there. @throws DcmError `not_found`, `usage` */
export async function checkVolumes(tx: Tables, ownerId: string, mounted: readonly Mounted[] = []): Promise<void> {
  if (mounted.length === 0) return
  if (overlap(mounted.map((one) => one.path)))
    throw new DcmError(
      'usage',
      'Two volumes cannot be at one place, nor one inside another; give each a place of its own.',
      {
        try: 'help create',
      },
    )
  const there = new Set((await tx.volumes.of(ownerId)).map((volume) => volume.id))
  const gone = mounted.find((one) => !there.has(one.id))
  if (gone) throw new DcmError('not_found', `You have no volume called ${gone.name}.`, { try: 'volume ls' })
}

/** Makes volumes under the owner's lock, in the transaction that admits what mounts them. @throws DcmError `limited` */
export async function addVolumes(
  tx: Tables,
  owner: { id: string; hostId: string },
  volumes: readonly { id: string; name: string }[],
): Promise<void> {
  if (volumes.length === 0) return
  const there = (await tx.volumes.of(owner.id)).length
  if (there + volumes.length > most)
    throw new DcmError(
      'limited',
      `You have ${count(there, 'volume')} and may have ${most}, which leaves no room for ${volumes.length} more; remove one with volume rm.`,
      { try: 'volume ls' },
    )
  for (const { id, name } of volumes) await tx.volumes.insert({ id, ownerId: owner.id, hostId: owner.hostId, name })
}

/** Names of containers that mount a volume. */
export const usersOf = (containers: readonly Container[], id: string): string[] =>
  containers.filter((one) => one.spec.volumes?.some((volume) => volume.id === id)).map((one) => one.name)

/** A caller's own volumes. */
export function createVolumes(works: Works): (caller: Caller) => Context['volumes'] {
  const { store, settings, random } = works
  return ({ person }) => ({
    async create(name) {
      const row = { id: newId(random), ownerId: person.id, hostId: settings.hostId, name }
      try {
        return await store.tx(async (tx) => {
          await lockMember(tx, person.id)
          if ((await tx.volumes.of(person.id)).length >= most)
            throw new DcmError('limited', `You have ${most} volumes already; remove one with volume rm.`, {
              try: 'volume ls',
            })
          await tx.volumes.insert(row)
          return (await tx.volumes.byId(row.id))!
        })
      } catch (error) {
        if (violated(error) !== 'volumes_name') throw error
        throw new DcmError('conflict', `You already have a volume called ${name}.`, { try: 'volume ls', cause: error })
      }
    },
    async list() {
      const [volumes, containers] = await Promise.all([store.volumes.of(person.id), store.containers.of(person.id)])
      return volumes.map((volume) => ({ ...volume, users: usersOf(containers, volume.id) }))
    },
  })
}
