import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../core/reply/reply.ts'
import { readEvents, type ServerEvent } from './events.ts'
import { send, type Sent } from './send.ts'
import type { Where } from './where.ts'

/** A Reply as it arrived; the bytes of its file, where there is one, are read once. */
export type Outcome = {
  reply: Omit<Reply, 'file'> & { file?: { name: string; type: string } }
  bytes?: AsyncIterable<Buffer>
}

/** Could not be reached from the start: nothing was asked of anyone. */
export class Unreachable extends Error {
  readonly code: string
  constructor(code: string, options: { cause: unknown }) {
    super('unreachable', options)
    this.name = 'Unreachable'
    this.code = code
  }
}

export type Watch = {
  progress(text: string): void
  /** The operation that is now waited for. */
  operation(id: string): void
  /** What is asked says itself how long to wait, and is not waited for longer. */
  bounded?: boolean
  /** All of an upload has gone. */
  sent(): void
  /** The link was lost, and is tried again. */
  lost(): void
  signal: AbortSignal
}

const patience = 60_000
const wait = 300

const gone = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'EPERM',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
])

/** What a reply about several says of each. */
type Target = { operation?: { id: string } | null }

type View = { id: string; state: string; reply: Outcome['reply'] | null }

/** The bytes that follow a reply, each event as it comes. @throws Error when they were cut short */
async function* fileBytes(events: AsyncGenerator<ServerEvent>): AsyncGenerator<Buffer> {
  for (;;) {
    const next = await events.next()
    if (next.done) throw new Error('The file was cut short; ask for it again.')
    if (next.value.event === 'end') return
    if (next.value.event === 'file') yield Buffer.from(String(next.value.data), 'base64')
  }
}

/** Reads one answer. @returns undefined when it was cut short */
async function read(answer: IncomingMessage, watch: Watch): Promise<Outcome | { view: View } | undefined> {
  if (!answer.headers['content-type']?.startsWith('text/event-stream')) {
    const body = await readText(answer)
    try {
      return { reply: JSON.parse(body) as Outcome['reply'] }
    } catch (cause) {
      throw new Error('What answered there is not DCM; look at DCM_URL.', { cause })
    }
  }
  const events = readEvents(answer)
  for (let next = await events.next(); !next.done; next = await events.next()) {
    const { event, data } = next.value
    if (event === 'progress') {
      const told = data as { text: string; operation: string }
      watch.operation(told.operation)
      watch.progress(told.text)
    } else if (event === 'operation') return { view: data as View }
    else if (event === 'reply') {
      const reply = data as Outcome['reply']
      // Who reads a file may be slow; from here on silence is ours.
      if (reply.file) answer.socket.setTimeout(0)
      return reply.file ? { reply, bytes: fileBytes(events) } : { reply }
    }
  }
  return undefined
}

/** A tar, and where it goes: what is asked with it is asked once, for it is there once. */
export type Upload = { path: string; headers: Record<string, string>; tar: Readable }

/** What is asked: a line, how an operation is getting on, or something with a tar. */
export type Asked = string[] | { operation: string } | Upload

/**
 * Sends a request and stays until its outcome is known, however long that takes: past the longest wait it asks for the
 * operation, and when the link is lost it asks again, under the same Idempotency-Key, so that nothing is done twice.
 * @throws Unreachable; Error with a sentence when DCM stays away; AbortError
 */
export async function outcome(where: Where, asked: Asked, watch: Watch): Promise<Outcome> {
  const key = randomUUID()
  const upload = 'tar' in asked ? asked : undefined
  let id = 'operation' in asked ? asked.operation : undefined
  const broken: Error[] = []
  upload?.tar.on('error', (error) => broken.push(error))
  /** What could not be read here counts for more than what became of the rest. */
  const whole = () => {
    const [first] = broken
    if (first) throw first
  }
  const begun = new Set<string>()
  const follow: Watch = {
    ...watch,
    operation(now) {
      watch.operation(now)
      // Of several targets each has its own: only the request itself, asked again, tells of all.
      id = begun.add(now).size === 1 ? now : undefined
    },
  }
  let reached = false
  let away = 0
  for (;;) {
    const request: Pick<Sent, 'method' | 'path' | 'body' | 'key' | 'stream' | 'sent' | 'headers'> = id
      ? { method: 'GET', path: `/v1/operations/${encodeURIComponent(id)}?wait=${wait}` }
      : upload
        ? { method: 'POST', path: upload.path, headers: upload.headers, stream: upload.tar, sent: () => watch.sent() }
        : { method: 'POST', path: '/v1/line', body: { words: asked, wait }, key }
    try {
      const answer = await send(where, { ...request, accept: 'text/event-stream', signal: watch.signal })
      const again = reached
      reached = true
      const got = await read(answer, follow)
      const view = got && 'view' in got ? got.view : undefined
      const reply = got && 'reply' in got ? got.reply : undefined
      whole()
      if (view?.reply && view.state !== 'running') return { reply: view.reply }
      if (reply && (watch.bounded || reply.operation?.state !== 'running') && !(reply.error === 'unavailable' && again))
        return got as Outcome
      if (view ?? reply?.operation) {
        away = 0
        const targets = Array.isArray(reply?.data) ? (reply.data as Target[]) : [view ? { operation: view } : reply!]
        for (const { operation } of targets) if (operation) follow.operation(operation.id)
        if (view?.state === 'running' || reply) continue
      }
    } catch (error) {
      watch.signal.throwIfAborted()
      whole()
      const { code } = error as NodeJS.ErrnoException
      if (!reached && code !== undefined && gone.has(code)) throw new Unreachable(code, { cause: error })
      if (code === undefined) throw error
      reached = true
    }
    whole()
    if (upload && !id) throw new Error('The link to DCM was cut before all was sent, so nothing is done; try again.')
    away ||= Date.now()
    if (Date.now() - away > patience)
      throw new Error(
        id
          ? `DCM stays away; ask later with "dcm outcome ${id}".`
          : 'DCM stays away; look with "dcm ps" whether it was done.',
      )
    watch.lost()
    await sleep(500, undefined, { signal: watch.signal })
  }
}
