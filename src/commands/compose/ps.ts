import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { publicPorts } from '../../core/model/container.ts'
import { info, seen } from '../../core/reply/reply.ts'
import { partsOf, projectArg } from './file.ts'

export const composePs = defineCommand({
  name: 'compose ps',
  about: 'List your compositions, or the services of one.',
  examples: ['compose ps', 'compose ps shop'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: { project: { ...projectArg, optional: true } },
  gives: z.array(
    z.object({ project: z.string(), service: z.string(), container: z.string(), state: z.string(), image: z.string() }),
  ),
  async run({ project }, { containers }) {
    const { containers: mine, stale } = await containers.mine()
    const all = project === undefined ? mine.filter((one) => one.spec.compose) : partsOf(project, mine)
    const parts = all.toSorted((a, b) => (named(a) < named(b) ? -1 : 1))
    const projects = new Set(parts.map((one) => one.spec.compose!.project))
    const data = parts.map(({ spec, name, state, imageRef }) => ({
      ...{ project: spec.compose!.project, service: spec.compose!.service, container: name, state, image: imageRef },
    }))
    if (parts.length === 0) return info('You have no compositions; compose up brings one up.', { data })
    const rows = parts.map((one) => [
      ...[one.spec.compose!.project, one.spec.compose!.service, one.name, one.state, one.imageRef],
      publicPorts(one)
        .map((port) => `${port.host}->${port.container}/${port.proto}`)
        .join(' '),
    ])
    const text =
      project === undefined
        ? `You have ${count(projects.size, 'composition')}.`
        : `These are the services of ${project}.`
    const table = { head: ['PROJECT', 'SERVICE', 'CONTAINER', 'STATE', 'IMAGE', 'PORTS'], rows }
    return seen(text, stale, { table, data })
  },
})

const named = ({ spec }: { spec: { compose?: { project: string; service: string } } }) =>
  `${spec.compose!.project}/${spec.compose!.service}`
