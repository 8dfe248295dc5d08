import type { Reply } from '../reply/reply.ts'

/**
 * One Reply out of several targets' Replies: a row each, and the first failure's code when one failed. A target has
 * `data` where its own Reply has: none when it failed, goes on, or was only tried (`dry`).
 */
export function gather(results: readonly { target: string; reply: Reply }[], dry: boolean): Reply {
  const failed = results.filter(({ reply }) => reply.error)
  const going = results.filter(({ reply }) => reply.operation?.state === 'running')
  const reply: Reply = {
    text: dry ? tried(results.length, failed.length) : summary(results.length, failed.length, going.length),
    tone: failed.length > 0 ? 'error' : going.length > 0 || dry ? 'info' : 'ok',
    table: { head: ['NAME', 'RESULT'], rows: results.map(({ target, reply: one }) => [target, one.text]) },
    data: results.map(({ target, reply: one }) => ({
      target,
      text: one.text,
      error: one.error ?? null,
      ...(one.data === undefined ? {} : { data: one.data }),
      operation: one.operation ? { id: one.operation.id, state: one.operation.state } : null,
    })),
  }
  if (failed[0]?.reply.error) reply.error = failed[0].reply.error
  if (going[0]?.reply.operation) reply.operation = going[0].reply.operation
  if (results.some(({ reply: one }) => one.private)) reply.private = true
  return reply
}

const tried = (all: number, failed: number): string =>
  failed === 0
    ? `All ${all} could be done; nothing was done.`
    : `${all - failed} of ${all} could be done, and nothing was; the table says what is in the way.`

function summary(all: number, failed: number, going: number): string {
  if (failed + going === 0) return `All ${all} are done.`
  const done = `${all - failed - going} of ${all} are done`
  if (going === 0) return `${done}; the table says what went wrong.`
  const goes = `${going} ${going === 1 ? 'goes' : 'go'} on`
  return failed === 0
    ? `${done}, ${goes}; the table says which operations to ask for.`
    : `${done}, ${goes}, ${failed} failed; the table says what went wrong.`
}
