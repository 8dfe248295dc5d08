import type { Reply } from './reply.ts'

/** What a question before a command carries: the same call with `--yes`, and the flags that the question `adds`. */
export type Confirmation = { confirm: true; line: string; words: string[]; adds: Record<string, true> }

/** What would confirm, when a Reply is only the question before a command. */
export function confirmationOf(reply: Pick<Reply, 'tone' | 'data'>): Confirmation | undefined {
  const data = reply.data as Partial<Confirmation> | undefined | null
  return reply.tone === 'warn' && data?.confirm === true ? (data as Confirmation) : undefined
}
