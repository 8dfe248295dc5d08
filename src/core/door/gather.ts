import type { Reply } from '../reply/reply.ts'

/** One Reply out of several targets' Replies: a row each, and the first failure's code when one failed. */
export function gather(results: readonly { target: string; reply: Reply }[]): Reply {
  const failed = results.filter(({ reply }) => reply.error)
  const done = results.length - failed.length
  const open = results.find(({ reply }) => reply.operation?.state === 'running')?.reply.operation
  const reply: Reply = {
    text:
      failed.length === 0
        ? `All ${results.length} are done.`
        : `${done} of ${results.length} are done; the table says what went wrong.`,
    tone: failed.length === 0 ? 'ok' : 'error',
    table: { head: ['NAME', 'RESULT'], rows: results.map(({ target, reply: one }) => [target, one.text]) },
    data: results.map(({ target, reply: one }) => ({
      target,
      text: one.text,
      error: one.error ?? null,
      data: one.data ?? null,
    })),
  }
  if (failed[0]?.reply.error) reply.error = failed[0].reply.error
  if (open) reply.operation = open
  if (results.some(({ reply: one }) => one.private)) reply.private = true
  return reply
}
