import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { formatSize } from '../../core/model/units.ts'
import { info, warn } from '../../core/reply/reply.ts'

const bytes = () => z.number().int().describe('Bytes.')

export const df = defineCommand({
  name: 'df',
  about: 'Show what your disk is used by.',
  examples: ['df'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {},
  gives: z.object({
    used: bytes(),
    limit: bytes(),
    measured_at: z.string().nullable(),
    storage: bytes(),
    containers: z.array(z.object({ name: z.string(), size: bytes() })),
    images: z.array(z.object({ image: z.string(), size: bytes() })),
  }),
  async run(_, { room }) {
    const { used, storage, containers, images, limit, measuredAt } = await room.use()
    const rows = [
      ['storage', '/storage', formatSize(storage)],
      ...containers.map((one) => ['container', one.name, formatSize(one.size)]),
      ...images.map((one) => ['image', one.ref, formatSize(one.size)]),
    ]
    const asOf = measuredAt ? `; containers as of ${formatTime(measuredAt)}` : ''
    const text = `You use ${formatSize(used)} of ${formatSize(limit)} of disk${asOf}.`
    const extras = {
      table: { head: ['WHAT', 'NAME', 'SIZE'], rows },
      data: {
        used,
        limit,
        measured_at: measuredAt?.toISOString() ?? null,
        storage,
        containers: containers.map(({ name, size }) => ({ name, size })),
        images: images.map(({ ref, size }) => ({ image: ref, size })),
      },
    }
    return used < limit
      ? info(text, extras)
      : warn(`${text} Remove something, or look what prune would.`, {
          ...extras,
          actions: [{ label: 'See what could go', line: 'prune --dry-run' }],
        })
  },
})
