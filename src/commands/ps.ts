import { z } from 'zod'
import { defineCommand } from '../core/command/define.ts'
import { containerData, portList, sshLine, status, toData } from '../core/reply/container.ts'
import { info, warn } from '../core/reply/reply.ts'

export const ps = defineCommand({
  name: 'ps',
  aliases: ['list', 'ls'],
  about: 'List your containers.',
  examples: ['ps'],
  needs: 'look',
  changes: false,
  private: true,
  args: {},
  gives: z.array(containerData),
  async run(_, { containers, place, now }) {
    const { containers: mine, stale } = await containers.mine()
    const data = mine.map((container) => toData(container, place))
    if (mine.length === 0) return (stale ? warn : info)(`You have no containers${stale ? `. ${stale}` : '; make one with create NAME --image IMAGE.'}`, { data })
    const head = ['NAME', 'IMAGE', 'STATUS', 'SSH', 'PORTS']
    const rows = mine.map((container) => [
      container.name,
      container.imageRef.replace(/:latest$/, ''),
      container.trouble ? `${status(container, now)}: ${container.trouble}` : status(container, now),
      sshLine(container, place) ?? '-',
      portList(container, place) || '-',
    ])
    const count = mine.length === 1 ? 'You have 1 container.' : `You have ${mine.length} containers.`
    return stale ? warn(`${count} ${stale}`, { table: { head, rows }, data }) : info(count, { table: { head, rows }, data })
  },
})
