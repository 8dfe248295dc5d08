import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { info, warn } from '../../core/reply/reply.ts'
import { fileArgs, given, lineData, tableOf } from './file.ts'

export const composeCheck = defineCommand({
  name: 'compose check',
  about: 'Tell whether a Compose file can be brought up here, with every line that is in the way.',
  examples: ['compose check -'],
  needs: 'member',
  changes: false,
  private: true,
  args: fileArgs,
  gives: z.object({
    project: z.string().nullable(),
    runs: z.boolean(),
    services: z.array(z.object({ service: z.string(), container: z.string(), image: z.string() })),
    problems: z.array(lineData),
    notes: z.array(lineData).describe('What has no effect.'),
  }),
  async run({ file, project, env }, { compose }) {
    const plan = await compose.plan(given(file), project, env)
    const { problems, notes } = plan
    const services = plan.services.map(({ service, name, imageRef }) => ({ service, container: name, image: imageRef }))
    const data = { project: plan.project, runs: problems.length === 0, services, problems, notes }
    if (problems.length > 0)
      return warn(
        `${problems.length === 1 ? 'One line' : `${problems.length} lines`} of this file cannot be had here.`,
        {
          table: tableOf(problems),
          data,
        },
      )
    const text = `This file can be brought up: ${services.map((one) => one.service).join(', ')}.`
    if (notes.length === 0) return info(text, { data })
    return info(`${text} The lines below have no effect here.`, { table: tableOf(notes), data })
  },
})
