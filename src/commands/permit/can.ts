import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { info, ok, warn } from '../../core/reply/reply.ts'

export const can = defineCommand({
  name: 'can',
  about: 'Say whether a command would be accepted now, which rule decides, and what would work instead.',
  examples: ['can create web --image debian -m 8g', 'can restart alice/web'],
  needs: 'member',
  changes: false,
  private: true,
  args: { line: { kind: 'line', about: 'The command, as you would type it.', raw: true } },
  gives: z.object({
    allowed: z.boolean(),
    command: z.string().nullable(),
    rule: z.string().describe('What decides.'),
    code: z.string().nullable().describe('The code that the refusal would have.'),
    why: z.string().nullable(),
    try: z.string().nullable().describe('A line that would work, or help.'),
  }),
  async run({ line }, { consider }) {
    const { command, rule, refusal } = await consider(line)
    const data = {
      allowed: refusal === null,
      command,
      rule,
      code: refusal?.code ?? null,
      why: refusal?.message ?? null,
      try: refusal?.try ?? null,
    }
    if (!refusal) return ok(`Yes: ${rule}. Nothing was done.`, { data, fields: { rule } })
    const extras = {
      data,
      fields: { rule },
      ...(refusal.try ? { actions: [{ label: 'Try this', line: refusal.try }] } : {}),
    }
    // What stands in the way only now, or only in the words, is no "no".
    return refusal.code === 'usage' || refusal.code === 'conflict'
      ? info(`Not like this: ${refusal.message}`, extras)
      : warn(`No: ${refusal.message}`, extras)
  },
})
