import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { calledBy, type Container } from '../../core/model/container.ts'
import { containerData, outdated, portList, sshLine, status, toData } from '../../core/reply/container.ts'
import { info, seen, warn } from '../../core/reply/reply.ts'

export const ps = defineCommand({
  name: 'ps',
  aliases: ['list', 'ls'],
  about: 'List your containers, and those that are shared with you.',
  examples: ['ps'],
  needs: 'look',
  changes: false,
  private: true,
  args: {},
  gives: z.array(containerData),
  async run(_, { containers, place, now, caller }) {
    const { own, shared, stale } = await containers.visible()
    const mine = [...own, ...shared]
    const data = mine.map((container) => toData(container, place))
    if (mine.length === 0)
      return (stale ? warn : info)(
        `You have no containers${stale ? `. ${stale}` : '; make one with create NAME --image IMAGE.'}`,
        { data },
      )
    const head = ['NAME', 'IMAGE', 'STATUS', 'SSH', 'PORTS']
    const marked = (container: Container) => {
      const renewal = outdated(container)
      return container.imageRef.replace(/:latest$/, '') + (renewal ? ` (${renewal.mark})` : '')
    }
    const rows = mine.map((container) => [
      calledBy(caller.person.id, container),
      marked(container),
      container.trouble ? `${status(container, now)}: ${container.trouble}` : status(container, now),
      sshLine(container, place) ?? '-',
      portList(container, place) || '-',
    ])
    const others =
      shared.length === 0 ? '' : `, and ${shared.length === 1 ? 'one is' : `${shared.length} are`} shared with you`
    const text = `You have ${count(own.length, 'container')}${others}.`
    return seen(text, stale, { table: { head, rows }, data })
  },
})
