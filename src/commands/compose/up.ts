import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { fileArgs, given, sound } from './file.ts'

export const composeUp = defineCommand({
  name: 'compose up',
  about: 'Bring up what a Compose file describes: all of it is admitted at once, or nothing is done.',
  examples: ['compose up -', 'compose up - -p shop -e DB_PASSWORD=secret'],
  needs: 'member',
  changes: true,
  begins: true,
  private: true,
  args: fileArgs,
  gives: z.object({
    project: z.string(),
    services: z.array(z.object({ service: z.string(), container: z.string(), done: z.string(), state: z.string() })),
    beside: z.array(z.string()).describe('Containers of the project that the file no longer has.'),
  }),
  async run({ file, project, env }, { caller, compose }) {
    const plan = sound(await compose.plan(given(file), project, env))
    const { services, volumes, networks } = plan
    return begin('compose-up', { ownerId: caller.person.id, project: plan.project, services, volumes, networks })
  },
})
