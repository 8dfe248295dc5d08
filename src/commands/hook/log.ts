import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { formatTime } from '../../core/model/time.ts'
import { info } from '../../core/reply/reply.ts'
import { hookArg } from './data.ts'

export const hookLog = defineCommand({
  name: 'hook log',
  about: 'Show what was sent to a webhook and what became of it.',
  examples: ['hook log deploy', 'hook log deploy --tail 5'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: {
    hook: hookArg,
    tail: { kind: 'count', flag: true, default: 20, about: 'How many of the newest deliveries, at most 200.' },
  },
  gives: z.object({
    failures: z.number().describe('Requests that were not signed with its secret.'),
    failed_at: z.string().nullable(),
    deliveries: z.array(
      z.object({
        id: z.string(),
        key: z.string().nullable().describe("The sender's own id for it."),
        event: z.string().nullable(),
        places: z.record(z.string(), z.string()),
        state: z.string(),
        text: z.string(),
        error: z.string().nullable(),
        operation: z.string().nullable(),
        address: z.string().nullable(),
        at: z.string(),
        ended_at: z.string().nullable(),
      }),
    ),
  }),
  async run({ hook: name, tail }, { caller, hooks }) {
    const hook = await hooks.find(caller.person.id, name)
    const sent = await hooks.log(hook, Math.min(Math.max(tail, 1), 200))
    const failures =
      hook.failures > 0 && hook.failedAt
        ? ` ${hook.failures} ${hook.failures === 1 ? 'request was' : 'requests were'} not signed with its secret, the last at ${formatTime(hook.failedAt)}.`
        : ''
    const text =
      sent.length === 0 ? `Nothing was sent to ${hook.name} yet.` : `This was sent to ${hook.name}, the newest first.`
    return info(`${text}${failures}`, {
      ...(sent.length > 0
        ? {
            table: {
              head: ['WHEN', 'EVENT', 'OUTCOME', 'WHAT IT SAYS', 'DELIVERY'],
              rows: sent.map((one) => [
                formatTime(one.createdAt),
                one.event ?? '',
                one.state,
                one.text,
                one.key ?? one.id,
              ]),
            },
          }
        : {}),
      data: {
        failures: hook.failures,
        failed_at: hook.failedAt?.toISOString() ?? null,
        deliveries: sent.map((one) => ({
          ...{
            id: one.id,
            key: one.key,
            event: one.event,
            places: one.places,
            state: one.state,
            text: one.text,
            error: one.code,
          },
          ...{
            operation: one.operationId,
            address: one.address,
            at: one.createdAt.toISOString(),
            ended_at: one.endedAt?.toISOString() ?? null,
          },
        })),
      },
    })
  },
})
