import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { thereAre } from '../../core/model/count.ts'
import { publicPorts, sshPort } from '../../core/model/container.ts'
import { status } from '../../core/reply/container.ts'
import { seen } from '../../core/reply/reply.ts'

export const inventory = defineCommand({
  name: 'inventory',
  about: 'List every container of every member.',
  examples: ['inventory', 'inventory --json'],
  needs: 'admin',
  changes: false,
  records: true,
  private: true,
  args: {},
  gives: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      owner: z.string(),
      engine_id: z.string().nullable(),
      host: z.string(),
      state: z.string(),
      desired: z.string(),
      ports: z.array(z.object({ container: z.number().int(), proto: z.string(), host: z.number().int() })),
      ssh_port: z.number().int().nullable(),
      image: z.string(),
    }),
  ),
  async run(_, { containers, now }) {
    const { containers: all, stale } = await containers.all()
    const data = all.map((container) => ({
      id: container.id,
      name: container.name,
      owner: container.owner,
      engine_id: container.engineId,
      host: container.hostId,
      state: container.state,
      desired: container.desired,
      ports: publicPorts(container).map((port) => ({ container: port.container, proto: port.proto, host: port.host })),
      ssh_port: sshPort(container) ?? null,
      image: container.imageRef,
    }))
    const text = `${thereAre(all.length, 'container')}.`
    return seen(text, stale, {
      table: {
        head: ['OWNER', 'NAME', 'IMAGE', 'STATUS', 'WANTED'],
        rows: all.map((container) => [
          container.owner,
          container.name,
          container.imageRef,
          status(container, now),
          container.desired,
        ]),
      },
      data,
    })
  },
})
