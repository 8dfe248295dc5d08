import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'
import { info } from '../../core/reply/reply.ts'
import { partsOf, projectArg } from './file.ts'

export const composeLogs = defineCommand({
  name: 'compose logs',
  about: 'Show what the services of a composition have printed, one after the other.',
  examples: ['compose logs shop', 'compose logs shop web -n 50'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {
    project: projectArg,
    service: { kind: 'container-name', optional: true, about: 'This service alone.' },
    tail: { kind: 'count', flag: true, short: 'n', default: 100, about: 'Lines from the end, of each.' },
  },
  gives: z.array(z.object({ service: z.string(), container: z.string(), text: z.string(), cut: z.boolean() })),
  async run({ project, service, tail }, { containers }) {
    const parts = partsOf(project, (await containers.mine()).containers)
    const chosen = parts.filter((one) => service === undefined || one.spec.compose!.service === service)
    if (chosen.length === 0)
      throw new DcmError(
        'not_found',
        `${project} has no service called ${service}; it has ${parts.map((one) => one.spec.compose!.service).join(', ')}.`,
        {
          try: `compose ps ${project}`,
        },
      )
    const most = Math.min(tail, 1000)
    const data = await Promise.all(
      chosen.map(async (one) => {
        const { text, cut } = await containers.logs(one, { tail: most, since: undefined, timestamps: false })
        return {
          service: one.spec.compose!.service,
          container: one.name,
          text: text.slice(-50_000),
          cut: cut || text.length > 50_000,
        }
      }),
    )
    const code = data
      .flatMap((one) =>
        one.text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => `${one.service} | ${line}`),
      )
      .join('\n')
    if (code === '') return info(`${project} has printed nothing.`, { data })
    return info(`This is what ${service === undefined ? project : `${service} of ${project}`} has printed.`, {
      code,
      data,
    })
  },
})
