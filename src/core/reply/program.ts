import type { z } from 'zod'
import type { endedData } from './ended.ts'
import { exitCodes } from './error.ts'
import type { Reply } from './reply.ts'

/** A program's end, as a shell that waits for it has it from `docker exec`: what it printed alone, and its own exit code. */
export type Program = { output: string; code: number; /** What else is to be said. */ says: string | undefined }

/** The exit code of what was killed for taking too long, as timeout(1) of the GNU coreutils has it. */
const late = 124

/** The program that a Reply tells of, where it tells of one's end. */
export function programOf(reply: Pick<Reply, 'text' | 'error' | 'data'>): Program | undefined {
  const data = reply.data as Partial<z.infer<typeof endedData>> | undefined | null
  if (typeof data?.output !== 'string' || data.exit_code === undefined || data.timed_out === undefined) return undefined
  const code = data.exit_code ?? (data.timed_out ? late : exitCodes[reply.error ?? 'conflict'])
  const cut = data.cut ? ' Something is left out of the middle of what it printed: write it to /storage instead.' : ''
  return { output: data.output, code, says: code === 0 && !cut ? undefined : `${reply.text}${cut}` }
}
