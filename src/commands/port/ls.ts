import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { formatTime } from '../../core/model/time.ts'
import { addressOf, allPorts, called, portData, toPort } from '../../core/reply/container.ts'
import { info } from '../../core/reply/reply.ts'

export const portLs = defineCommand({
  name: 'port ls',
  about: 'List the open ports of your containers, or of one.',
  examples: ['port ls', 'port ls web'],
  needs: 'look',
  changes: false,
  private: true,
  args: { container: { kind: 'container', optional: true, about: 'Container to look at; all of yours when absent.' } },
  gives: z.array(portData),
  async run({ container }, { containers, place }) {
    const looked = container ? [container] : (await containers.mine()).containers
    const all = looked.flatMap((one) => allPorts(one).map((port) => ({ one, port })))
    const data = all.map(({ one, port }) => toPort(one, port, place))
    if (all.length === 0)
      return info(`${container ? `${container.name} has` : 'You have'} no open ports; open one with port add.`, {
        data,
      })
    return info(`${thereAre(all.length, 'open port')}.`, {
      table: {
        head: ['CONTAINER', 'PORT', 'ADDRESS', 'SHARE', 'ENDS'],
        rows: all.map(({ one, port }) => [
          one.name,
          called(port),
          addressOf(port, place),
          port.reach ?? 'site',
          port.expiresAt ? formatTime(port.expiresAt) : 'never',
        ]),
      },
      data,
    })
  },
})
