import type { Ask, DcmError, ErrorCode } from './error.ts'

/** A button: a command line, run with the clicker's rights through the same parser and checks. */
export type Action = { label: string; line: string; danger?: true }

/** An operation that goes on after the answer, or has ended with it. */
export type Ongoing = { id: string; state: 'running' | 'done' | 'failed'; progress?: string }

/** Bytes for the caller: read once, by the adapter that sends them. */
export type ReplyFile = { name: string; type: string; bytes: AsyncIterable<Uint8Array> }

/**
 * What every call gets, wherever it came from. It stands alone as one sentence (`text`) and each adapter renders as much
 * of the rest as its surface can show. `data` is for machines: its schema is the command's `gives`.
 */
export type Reply = {
  text: string
  tone: 'ok' | 'info' | 'warn' | 'error'
  fields?: Record<string, string>
  table?: { head: string[]; rows: string[][] }
  /** Preformatted text: a log, an ssh line, a script. */
  code?: string
  actions?: Action[]
  /** Only the caller may see it. */
  private?: true
  error?: ErrorCode
  data?: unknown
  operation?: Ongoing
  /** A form made from what is missing, for surfaces that can show one; the rest show `text`. */
  ask?: Ask
  file?: ReplyFile
  /** A harmless sentence for the channel, where the caller asked for one with `--post`. */
  post?: string
}

type Extras = Omit<Reply, 'text' | 'tone' | 'error'>

/** Something was done. */
export const ok = (text: string, extras: Extras = {}): Reply => ({ text, tone: 'ok', ...extras })

/** Something was asked. */
export const info = (text: string, extras: Extras = {}): Reply => ({ text, tone: 'info', ...extras })

/** Done or asked, with something the caller should look at. */
export const warn = (text: string, extras: Extras = {}): Reply => ({ text, tone: 'warn', ...extras })

/** States as they were last seen; `stale` is the sentence that says so where they may be old. */
export const seen = (text: string, stale: string | null, extras: Extras = {}): Reply =>
  stale ? warn(`${text} ${stale}`, extras) : info(text, extras)

/** The Reply that a DcmError becomes. */
export function refusal(error: DcmError): Reply {
  const reply: Reply = { text: error.message, tone: 'error', error: error.code }
  if (error.ask) reply.ask = error.ask
  if (error.table) reply.table = error.table
  if (error.try) reply.actions = [{ label: 'Try this', line: error.try }]
  return reply
}
