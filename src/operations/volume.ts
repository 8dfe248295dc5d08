import { usersOf } from '../core/containers/volumes.ts'
import { defineOperation } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

/** Removes a volume with all it holds. From when it is stored nothing can mount it; its row goes when its folder is gone. */
export const removeVolume = defineOperation<'remove-volume', { name: string }>({
  kind: 'remove-volume',
  subject: (input) => `volume:${input.volumeId}`,
  doing: 'being removed',
  async admit(tx, input, id) {
    const volume = await tx.volumes.byId(input.volumeId)
    if (!volume || volume.leaving) throw new DcmError('not_found', 'That volume is gone.', { try: 'volume ls' })
    await tx.people.lockUsage(volume.ownerId)
    const users = usersOf(await tx.containers.of(volume.ownerId), volume.id)
    // What is being made anew with it has it in its row only when it has come up.
    const coming = (await tx.operations.openOf(volume.ownerId, id)).find((one) =>
      JSON.stringify(one.input).includes(volume.id),
    )
    if (users.length > 0 || coming)
      throw new DcmError(
        'conflict',
        `${volume.name} is mounted by ${users.join(', ') || coming?.target}; remove that first, or make it anew without.`,
        { try: users[0] ? `recreate ${users[0]} --clear volumes` : 'ps' },
      )
    await tx.volumes.leave(volume.id)
    return { name: volume.name }
  },
  steps: [
    {
      name: 'remove',
      forward: true,
      async do(run) {
        const volume = await run.store.volumes.byId(run.input.volumeId)
        if (!volume) return
        await run.say('removing')
        await run.host(volume.hostId).files.removeVolume(volume.ownerId, volume.id)
        await run.store.volumes.remove(volume.id)
      },
    },
  ],
  reply: ({ state }) => ok(`${state.name} is removed with all it held.`, { data: { volume: state.name } }),
})
