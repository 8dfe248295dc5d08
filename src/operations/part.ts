import { DcmError } from '../core/reply/error.ts'
import type { Reply } from '../core/reply/reply.ts'

/**
 * Waits for a part of a run, begun with `run.also`, that may be refused without the others being so.
 * @returns why it was not done, or undefined when it was
 * @throws what the whole run has to be tried again for
 */
export async function whyNot(part: Promise<Reply>): Promise<string | undefined> {
  try {
    const reply = await part
    return reply.error ? reply.text : undefined
  } catch (error) {
    if (!(error instanceof DcmError) || error.code === 'unavailable') throw error
    return error.message
  }
}
