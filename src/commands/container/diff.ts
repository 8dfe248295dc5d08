import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { info } from '../../core/reply/reply.ts'

/** What DCM itself puts into every container. */
const ours = new Set(['/run/dcm', '/run/secrets', '/storage', '/usr/sbin/docker-init', '/sbin/docker-init'])
const letters = { changed: 'C', added: 'A', deleted: 'D' } as const

export const diff = defineCommand({
  name: 'diff',
  about: 'Show which files of a container differ from its image: what commit would keep.',
  examples: ['diff web', 'diff web --limit 1000'],
  needs: 'look',
  changes: false,
  private: true,
  args: {
    container: { kind: 'container', about: 'Container to compare.' },
    limit: { kind: 'count', about: 'How many paths at most, up to 5000.', flag: true, default: 200 },
  },
  gives: z.object({
    total: z.number().int(),
    changes: z.array(z.object({ kind: z.enum(['changed', 'added', 'deleted']), path: z.string() })),
  }),
  async run({ container, limit }, { watch }) {
    const most = Math.min(Math.max(limit, 1), 5000)
    const { changes, total } = await watch.changes(container, most + ours.size + 16)
    const led = new Set(container.spec.volumes?.map((volume) => volume.path))
    const theirs = changes.filter(({ path }) => !ours.has(path) && !led.has(path))
    const shown = theirs.slice(0, most)
    const all = total - (changes.length - theirs.length)
    const data = { total: all, changes: shown }
    if (all === 0)
      return info(`Nothing in ${container.name} differs from its image; /storage is not compared.`, { data })
    const cut = shown.length < all ? ` These are the first ${shown.length}; --limit shows more.` : ''
    const text =
      all === 1
        ? `One path in ${container.name} differs from its image.`
        : `${all} paths in ${container.name} differ from its image.${cut}`
    return info(text, {
      table: { head: ['', 'PATH'], rows: shown.map((change) => [letters[change.kind], change.path]) },
      data,
    })
  },
})
