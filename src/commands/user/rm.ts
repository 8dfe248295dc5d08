import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { formatSize } from '../../core/model/units.ts'
import { DcmError } from '../../core/reply/error.ts'
import { info } from '../../core/reply/reply.ts'

const list = (names: readonly string[]) => names.join(', ') || 'none'

export const userRm = defineCommand({
  name: 'user rm',
  aliases: ['user remove', 'user del'],
  about: 'Remove a member with their containers, keys, tokens, grants, network and ports.',
  examples: ['user rm bob --dry-run', 'user rm bob --images --storage'],
  needs: 'admin',
  changes: 'rights',
  begins: true,
  args: {
    member: { kind: 'person', about: 'The member.' },
    images: { kind: 'flag', optional: true, about: 'Remove the images they committed too.' },
    storage: { kind: 'flag', optional: true, about: 'Remove what is in their /storage and volumes too.' },
  },
  gives: z.looseObject({ name: z.string() }),
  confirms: ({ member, images, storage }) =>
    `Remove ${member.name} with all of their containers${images ? ', images' : ''}${storage ? ', storage' : ''}, keys and tokens? It cannot be undone.`,
  async preview({ member, images, storage }, { people }) {
    const has = await people.belongings(member)
    return info(`user rm ${member.name} would remove the following; nothing has been changed.`, {
      fields: {
        containers: list(has.containers),
        images: images ? list(has.images) : `kept (${has.images.length}); --images removes them`,
        volumes: storage ? list(has.volumes) : `kept with the storage (${has.volumes.length})`,
        networks: list(['their main one', ...has.networks]),
        storage: storage
          ? formatSize(has.storage)
          : `kept (${formatSize(has.storage)}), see user kept; --storage removes it`,
        keys: String(has.keys),
        tokens: String(has.tokens),
        ports: String(has.ports),
        grants: list(has.grants),
        hooks: list(has.hooks),
        schedules: String(has.schedules),
        shares: String(has.shares),
      },
      data: {
        name: member.name,
        containers: has.containers,
        images: images ? has.images : [],
        volumes: storage ? has.volumes : [],
        networks: has.networks,
        storage: storage ? has.storage : 0,
        keys: has.keys,
        tokens: has.tokens,
        ports: has.ports,
        grants: has.grants,
        hooks: has.hooks,
        schedules: has.schedules,
        shares: has.shares,
      },
    })
  },
  async run({ member, images, storage }, { people }) {
    // Said here in time for a friendly answer; the operation makes sure of it under a lock.
    const left = (await people.list()).filter(
      (one) => one.role === 'admin' && one.state === 'active' && one.id !== member.id,
    )
    if (member.role === 'admin' && left.length === 0)
      throw new DcmError(
        'conflict',
        `${member.name} is the last active admin; add another with user add NAME --admin first.`,
      )
    return begin('remove-user', { personId: member.id, images: images ?? false, storage: storage ?? false })
  },
})
