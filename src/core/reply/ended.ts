import { z } from 'zod'
import { ok, type Reply } from './reply.ts'

/** What is told of a program that has ended, whatever it ran in. */
export type Ended = {
  name: string
  code: number | null
  late: boolean
  output: string
  cut: boolean
  changed: 'bytes' | 'marks' | null
  /** What gives every byte that a program prints, as the beginning of a sentence. */
  whole: string
}

/** The same for machines. */
export const endedData = z.object({
  name: z.string(),
  exit_code: z
    .number()
    .nullable()
    .describe('Null when it was killed for taking too long, or when Docker does not know.'),
  timed_out: z.boolean(),
  output: z.string().describe('What it printed on both of its outputs, 64 KiB at most.'),
  cut: z.boolean().describe('Whether something is left out of the middle of it.'),
  changed: z
    .enum(['bytes', 'marks'])
    .nullable()
    .describe(
      '`bytes`: it is no text, so it was changed; `marks`: line ends, colours and the like were; null: neither.',
    ),
  whole: z.string().describe('What gives every byte of it.'),
})

/**
 * A program's end as a Reply: any but exit code 0 is a failure, so that whoever waits for it fails too.
 * @param what it was, as the beginning of a sentence; the whole sentence when it was killed for taking too long
 */
export function ended(what: string, { name, code, late, output, cut, changed, whole }: Ended): Reply {
  const how = late
    ? what
    : code === null
      ? `${what} has ended, and Docker does not know how.`
      : `${what} ended with exit code ${code}.`
  const lost = cut
    ? ` Some of what it printed is left out; ${whole} gives all of it.`
    : changed === 'bytes'
      ? ` What it printed is no text and was changed; ${whole} gives every byte of it.`
      : ''
  const reply = ok(`${how}${lost}`, {
    ...(output.trim() === '' ? {} : { code: output.replace(/\n$/, '') }),
    data: { name, exit_code: code, timed_out: late, output, cut, changed, whole },
    private: true,
  })
  return code === 0 ? { ...reply, tone: lost ? 'warn' : 'ok' } : { ...reply, tone: 'error', error: 'conflict' }
}
