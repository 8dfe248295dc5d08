import type { Command } from '../../core/command/define.ts'
import type { Call, Door, Waiting } from '../../core/door/door.ts'
import type { Actor } from '../../core/model/person.ts'
import { DcmError } from '../../core/reply/error.ts'
import { refusal, type Reply } from '../../core/reply/reply.ts'
import type { Log } from '../../core/model/log.ts'
import { onWire, respondJson, respondReply } from './answer.ts'
import { readBody } from './body.ts'
import { type Last, respondEvents } from './events.ts'
import { readObject } from './json.ts'
import { Refused } from './refused.ts'
import { readQuery, type Route } from './routes.ts'
import { broken, type Turn, type Turns, wantsEvents } from './turn.ts'

/** Calls of the door as requests: a command, a typed line, what would complete one, and an operation. */
export function createCalls({ door, log, turns }: { door: Door; log: Log; turns: Turns }) {
  const { identify, hold, keeping, limits } = turns

  /** Answers when it has ended, or after `wait`, or as events; what is thrown on the way is told, and is in the log. */
  async function waited<T>(
    turn: Turn,
    key: string,
    wait: number,
    work: (waiting: Waiting) => Promise<T>,
    as: { plain(value: T): Response; event(value: T): Last },
  ): Promise<Response> {
    const held = hold(turn, key)
    if (!wantsEvents(turn)) {
      try {
        return as.plain(await work({ wait, signal: held.signal }))
      } finally {
        held.done()
      }
    }
    return respondEvents(
      async (tell) => {
        try {
          return as.event(await work({ wait, signal: held.signal, progress: tell }))
        } catch (error) {
          if (error instanceof DcmError) return { event: 'reply', data: refusal(error) }
          log.error({ error, requestId: turn.requestId }, 'the door threw')
          return { event: 'reply', data: broken(turn.requestId) }
        }
      },
      turn.headers,
      held.leave,
      held.done,
    )
  }

  async function run(turn: Turn, call: Call, changes: boolean, wait: number, key: string): Promise<Response> {
    // What changes nothing has nothing to wait for, and is spared what waiting costs.
    if (!changes && !wantsEvents(turn)) return respondReply(await door.handle(call), turn.headers, keeping(turn, key))
    return waited(turn, key, wait, (waiting) => door.handle(call, waiting), {
      plain: (reply) => respondReply(reply, turn.headers, keeping(turn, key)),
      event: (reply) => ({ event: 'reply', data: onWire(reply), file: reply.file }),
    })
  }

  async function operation(turn: Turn, id: string): Promise<Response> {
    const { actor, key } = await identify(turn)
    const wait = readWait(turn.url.searchParams.get('wait') ?? 0)
    const now = await door.operation(actor, id, { wait: 0 })
    if (now.state !== 'running' || wait === 0)
      return wantsEvents(turn)
        ? respondEvents(
            async () => ({ event: 'operation', data: now }),
            turn.headers,
            () => {},
          )
        : respondJson(now, 200, turn.headers)
    return waited(turn, key, wait, (waiting) => door.operation(actor, id, waiting), {
      plain: (view) => respondJson(view, 200, turn.headers),
      event: (view) => ({ event: 'operation', data: view }),
    })
  }

  /** A typed line, or words that the local command's shell has split. */
  async function line(turn: Turn): Promise<Response> {
    const { actor, key } = await identify(turn)
    const { wait, ...body } = await readBody(turn.request, limits.body)
    const input = readLine(body)
    return run(
      turn,
      { actor, input, requestId: turn.requestId, ...idempotency(turn) },
      true,
      readWait(wait ?? turn.url.searchParams.get('wait')),
      key,
    )
  }

  async function complete(turn: Turn): Promise<Response> {
    const { actor } = await identify(turn)
    const { line: typed, ...rest } = await readBody(turn.request, limits.body)
    if (typeof typed !== 'string' || Object.keys(rest).length > 0)
      throw new DcmError('usage', 'Completion takes {"line": "what is typed so far"}.')
    return respondJson({ candidates: await door.complete(actor, typed) }, 200, turn.headers)
  }

  async function command(turn: Turn, route: Route & { to: 'command' }): Promise<Response> {
    const { actor, key } = await identify(turn)
    if (route.command.streams && isTar(turn.request)) return upload(turn, route.command, actor, key)
    const query = turn.request.method === 'POST' ? undefined : readQuery(turn.url.searchParams, route.command)
    const { wait, ...args } = query ?? (await readBody(turn.request, limits.body))
    const call: Call = {
      actor,
      input: { name: route.command.name, args },
      requestId: turn.requestId,
      ...idempotency(turn),
    }
    return run(turn, call, !!route.command.changes, readWait(wait ?? turn.url.searchParams.get('wait')), key)
  }

  /**
   * A command that reads a stream of bytes: they are the body, and its arguments are in the query, or in a header where
   * they have no place in an address. What it begins is waited for from when all has come.
   */
  async function upload(turn: Turn, command: Command, actor: Actor, key: string): Promise<Response> {
    const { request, requestId } = turn
    const encoding = request.headers.get('content-encoding')
    if (encoding && encoding !== 'identity')
      throw new Refused(415, 'usage', 'A compressed body is not taken; send the tar as it is.')
    const more = request.headers.get(argumentsHeader)
    const given = { ...readQuery(turn.url.searchParams, command), ...(more === null ? {} : readObject(more)) }
    const { wait: asked, ...args } = given as Record<string, unknown>
    const wait = readWait(asked)
    turn.origin.patient?.()
    const reader = (request.body ?? new Blob([]).stream()).getReader()
    const enough = new AbortController()
    let late: NodeJS.Timeout | undefined
    const body = piecesOf(reader, () => (late ??= setTimeout(() => enough.abort(), wait)))
    const call = { actor, input: { name: command.name, args }, requestId, body }
    const work = async ({ signal, progress }: Waiting): Promise<Reply> => {
      try {
        const waiting = { signal: AbortSignal.any([signal!, enough.signal]), ...(progress ? { progress } : {}) }
        const reply = await door.handle(call, waiting)
        await discard(reader)
        return reply
      } finally {
        clearTimeout(late)
      }
    }
    return waited(turn, key, wait, work, {
      plain: (reply) => respondReply(reply, turn.headers),
      event: (reply) => ({ event: 'reply', data: onWire(reply) }),
    })
  }

  return { command, line, complete, operation }
}

/** Arguments as a JSON object, in ASCII; those here count where the query has one of the same name. RFC 9110 section 5.5. */
const argumentsHeader = 'dcm-arguments'

/** @throws Refused */
function readWait(value: unknown): number {
  const seconds =
    value === undefined || value === null
      ? 30
      : typeof value === 'string' && /^\d{1,3}(\.\d{1,3})?[sm]?$/.test(value)
        ? parseFloat(value) * (value.endsWith('m') ? 60 : 1)
        : value
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= 300))
    throw new Refused(400, 'usage', '"wait" is a number of seconds from 0 to 300, or a time like 30s.')
  return seconds * 1000
}

type Reader = ReadableStreamDefaultReader<Uint8Array>

/** A body that may be left off: to cancel it would end the connection, and with it the answer. `over`: nobody reads on. */
async function* piecesOf(reader: Reader, over: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    over()
  }
}

/** How long what nobody wants is read on, in milliseconds. */
const patience = 5000

/** Reads the rest of a body for a while: a caller who is still sending would else not hear the answer. */
async function discard(reader: Reader): Promise<void> {
  const late = setTimeout(() => void reader.cancel().catch(() => undefined), patience)
  try {
    while (!(await reader.read()).done);
  } catch {
    // The caller has left.
  } finally {
    clearTimeout(late)
  }
}

const isTar = (request: Request) => /^application\/x-tar\s*$/i.test(request.headers.get('content-type') ?? '')

/** @throws Refused when there is a key that cannot be one */
function idempotency(turn: Turn): { idempotencyKey?: string } {
  const key = turn.request.headers.get('idempotency-key')
  if (key === null) return {}
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Refused(400, 'usage', 'An Idempotency-Key is 1 to 255 visible ASCII characters.')
  return { idempotencyKey: key }
}

/** @throws DcmError `usage` */
function readLine(body: Record<string, unknown>): { line: string } | { words: string[] } {
  const { line, words, ...rest } = body
  const other = Object.keys(rest)[0]
  if (other !== undefined)
    throw new DcmError(
      'usage',
      `A line takes "line" or "words", and "wait"; "${other.slice(0, 60)}" belongs into the line.`,
    )
  if (typeof line === 'string' && words === undefined) return { line }
  if (line === undefined && Array.isArray(words) && words.every((word) => typeof word === 'string')) return { words }
  throw new DcmError('usage', 'Send {"line": "create web --image debian"}, or "words" with a list of texts.')
}
