import type { z } from 'zod'
import type { endedData } from './ended.ts'
import { exitCodes } from './error.ts'
import type { Reply } from './reply.ts'

/** A program's end, as a shell that waits for it has it from `docker exec`: what it printed alone, and its own exit code. */
export type Program = { output: string; code: number; /** What else is to be said. */ says: string | undefined }

/** The exit code of what was killed for taking too long, as timeout(1) of the GNU coreutils has it. */
const late = 124

/** The exit code where it is not the program that failed: Docker docs, "docker container run", "Exit status". */
const ours = 125

/**
 * The program that a Reply tells of, where it tells of one's end. What is not all that it printed is no success.
 * @param from `piped`: its output goes to a program or a file; `given`: something came for its input, and it has none
 */
export function programOf(
  reply: Pick<Reply, 'text' | 'error' | 'data'>,
  from: { piped: boolean; given: boolean },
): Program | undefined {
  const data = reply.data as Partial<z.infer<typeof endedData>> | undefined | null
  if (typeof data?.output !== 'string' || data.exit_code === undefined || data.timed_out === undefined) return undefined
  const lost = data.cut || data.changed === 'bytes'
  const says = [
    ...(data.exit_code === 0 && !lost ? [] : [reply.text]),
    ...(from.piped && !lost && data.changed === 'marks'
      ? [`Line ends or colours of what it printed were changed; ${data.whole} gives it as it is.`]
      : []),
    ...(from.given ? [`What was piped in was not passed on; ${data.whole} gives a program its input.`] : []),
  ]
  const code = data.timed_out
    ? late
    : lost || from.given
      ? ours
      : (data.exit_code ?? exitCodes[reply.error ?? 'conflict'])
  return { output: data.output, code, says: says.length > 0 ? says.join('\n') : undefined }
}
