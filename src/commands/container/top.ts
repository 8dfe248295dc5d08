import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatSize } from '../../core/model/units.ts'
import { info } from '../../core/reply/reply.ts'

/** Rows that are shown; a limit of processes may be far above what anyone reads. */
const most = 200

export const top = defineCommand({
  name: 'top',
  about: 'Show what runs inside a container.',
  examples: ['top web'],
  needs: 'look',
  changes: false,
  private: true,
  args: { container: { kind: 'container', about: 'Container to look into.' } },
  gives: z.array(
    z.object({
      uid: z.string().describe('The user, by number, as the host counts.'),
      cpu: z.number().describe('Percent of one CPU over its life.'),
      memory: z.number().int().describe('Bytes.'),
      elapsed: z.string(),
      command: z.string(),
    }),
  ),
  async run({ container }, { watch }) {
    const all = await watch.processes(container)
    const rows = all
      .slice(0, most)
      .map((one) => [one.uid, `${one.cpu}%`, formatSize(one.memory), one.elapsed, one.command])
    const cut = all.length > most ? `; the first ${most} are shown` : ''
    const text =
      all.length === 1
        ? `One process runs in ${container.name}.`
        : `${all.length} processes run in ${container.name}${cut}.`
    return info(text, { table: { head: ['USER', 'CPU', 'MEMORY', 'SINCE', 'COMMAND'], rows }, data: all })
  },
})
