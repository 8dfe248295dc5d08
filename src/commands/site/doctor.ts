import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { info, warn } from '../../core/reply/reply.ts'

export const doctor = defineCommand({
  name: 'doctor',
  about: 'Check which guarantees this host gives, and how to get the rest.',
  examples: ['doctor'],
  needs: 'admin',
  changes: false,
  records: true,
  args: {},
  gives: z.array(z.object({ name: z.string(), holds: z.boolean(), says: z.string(), fix: z.string().optional() })),
  async run(_, { site }) {
    const checks = await site.doctor()
    const missing = checks.filter((check) => !check.holds)
    const text =
      missing.length === 0
        ? `All ${checks.length} guarantees hold.`
        : `${checks.length - missing.length} of ${checks.length} guarantees hold; ${missing.length} ${missing.length === 1 ? 'does' : 'do'} not.`
    return (missing.length === 0 ? info : warn)(text, {
      table: {
        head: ['', 'GUARANTEE', 'FINDING'],
        rows: checks.map((check) => [
          check.holds ? 'ok' : 'no',
          check.name,
          check.holds || !check.fix ? check.says : `${check.says} ${check.fix}`,
        ]),
      },
      data: checks,
    })
  },
})
