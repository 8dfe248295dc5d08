import type { Command } from '../command/define.ts'
import type { Door } from '../door/door.ts'
import type { Actor } from '../model/person.ts'
import { formatSize } from '../model/units.ts'
import { formatVisitor, type Visitor } from '../model/visitor.ts'
import type { Works } from '../operation/define.ts'
import type { Log } from '../model/log.ts'
import { DcmError } from '../reply/error.ts'
import { info, refusal, type Reply } from '../reply/reply.ts'
import type { OutboxRow } from '../store/outbox.ts'
import { composeLetter, openAddress, openLetter, owe, pagesOf, sealLetter, type Stored } from './letter.ts'
import { type ChatFile, cleanName, largestFile, tarOf } from './file.ts'
import type { Address, Input, Outlet } from './outlet.ts'
import { afterPress, presser, readPress } from './press.ts'
import type { Called } from './take.ts'

/** When somebody who waits first hears how it goes, and how often then. */
const progressAfter = 1500
const progressEvery = 4000

export type AnswerDeps = {
  works: Works
  door: Door
  commands: readonly Command[]
  log: Log
  identify(visitor: Visitor, channel?: string): Promise<Actor>
  over: AbortSignal
}

/** What a call came to; `instead` of the message whose button was pressed, `at` a page `of` a stored answer. */
type Result = { reply: Reply; instead: boolean; at?: number; of?: string }

/** Makes what carries stored calls out. */
export function createAnswer({ works, door, commands, log, identify, over }: AnswerDeps) {
  const { store, seal } = works

  /** Carries a stored call out and stores what is owed for it. @returns undefined when this process is stopping */
  async function answer(row: OutboxRow, outlet: Outlet): Promise<OutboxRow | undefined> {
    const call = JSON.parse(seal.open(row.call!, `call/${row.id}`)) as Called
    const address = openAddress(seal, row.id, row.address)
    const actor = await identify(call.visitor, call.channel)
    const again = row.fence > 1
    let { place } = row
    let telling: Promise<void> = Promise.resolve()
    let last = performance.now() - progressEvery + progressAfter
    let ended = false
    const progress = (text: string) => {
      if (!outlet.progress || ended || performance.now() - last < progressEvery) return
      last = performance.now()
      telling = telling
        .then(async () => {
          if (ended) return
          const put = await outlet.progress!(address, text, place)
          if (!put) return
          place = put
          await store.outbox.save(row.id, row.fence, { place })
        })
        .catch((err: unknown) => log.debug({ message: row.id, err }, 'progress could not be told'))
    }
    // Nothing may be said for a while by what is being done itself, so the first word comes by the clock.
    const soon = setTimeout(() => progress('working on it'), progressAfter + 10)
    let result: Result
    try {
      result = call.files?.length
        ? { reply: await receive(call.files, call.input, { actor, id: row.id, address, outlet }), instead: false }
        : await carryOut(call.input, actor, row.id, again, progress)
    } finally {
      clearTimeout(soon)
      ended = true
      await telling
    }
    // What goes on after this process has stopped is waited for by the next one.
    if (result.reply.operation?.state === 'running') {
      await store.outbox.postpone(row.id, row.fence, 0, { place })
      return undefined
    }
    return store.tx(async (tx) => {
      const { reply, instead, ...page } = result
      const { post, ...shown } = reply
      const letter: Stored = {
        ...(await composeLetter(tx, works, { outboxId: row.id, reply: shown, asker: presser(actor), instead })),
        ...page,
      }
      const sealed = sealLetter(seal, row.id, letter)
      if (!(await tx.outbox.save(row.id, row.fence, { letter: sealed, status: 'owed', place })))
        throw new Error('another process has taken over')
      if (post) await owe(tx, works, { platform: row.platform, address, reply: info(post), open: true })
      return { ...row, letter: sealed, status: 'owed' as const, place }
    })
  }

  async function carryOut(
    input: Input,
    actor: Actor,
    id: string,
    again: boolean,
    progress: (text: string) => void,
  ): Promise<Result> {
    const call = { actor, requestId: id, ...(again ? { again } : {}) }
    const waiting = { progress, signal: over }
    if ('page' in input) return { ...(await turn(input, actor)), instead: true }
    if (!('press' in input)) return { reply: await door.handle({ ...call, input }, waiting), instead: false }
    const press = await readPress(works, commands, actor, input.press, id, again)
    if (!('line' in press)) return press
    const reply = await door.handle({ ...call, input: { line: press.line } }, waiting)
    if (reply.operation?.state !== 'running') await afterPress(works, press, reply)
    return { reply, instead: press.instead }
  }

  /** Puts files that came along into a container of the sender's: the one that is named, or any that runs. */
  async function receive(
    files: readonly ChatFile[],
    input: Input,
    { actor, id, address, outlet }: { actor: Actor; id: string; address: Address; outlet: Outlet },
  ): Promise<Reply> {
    const words = 'line' in input ? input.line.trim().split(/\s+/) : 'name' in input ? [input.name] : []
    const [verb = '', typed] = words
    const filled = 'args' in input ? input.args['container'] : undefined
    const named = typeof filled === 'string' ? filled : typed
    if (!['', 'cp', 'inbox'].includes(verb) || words.length > 2)
      return refusal(
        new DcmError(
          'usage',
          'A file goes into /storage/inbox: send it alone, or with "inbox CONTAINER" as its text.',
          { try: 'help inbox' },
        ),
      )
    const said: Reply[] = []
    for (const file of files.slice(0, 10)) {
      const name = cleanName(file.name)
      try {
        if (!outlet.fetch) throw new DcmError('usage', 'Files cannot be sent this way; use dcm cp.', { try: 'help cp' })
        if (!(file.size >= 0 && file.size <= largestFile))
          throw new DcmError(
            'limited',
            `${name} is larger than ${formatSize(largestFile)}; copy it with dcm cp or scp.`,
            { try: 'help cp' },
          )
        const args = { name, ...(named ? { container: named.replace(/:.*$/s, '') } : {}) }
        // Nothing is fetched before it is known who asks, and that they may.
        const body = (async function* () {
          yield* tarOf(name, file.size, await outlet.fetch!(address, file))
        })()
        said.push(
          await door.handle({
            actor,
            requestId: said.length === 0 ? id : `${id}-${said.length}`,
            input: { name: 'inbox', args },
            body,
          }),
        )
      } catch (error) {
        if (!(error instanceof DcmError)) throw error
        said.push(refusal(error))
      }
    }
    const [first] = said
    if (said.length === 1) return first!
    const failed = said.find((reply) => reply.error)
    return { ...(failed ?? first!), text: said.map((reply) => reply.text).join(' ') }
  }

  /** Another page of what was answered before; nothing is run again. */
  async function turn(
    input: { page: string; at: number },
    actor: Actor,
  ): Promise<{ reply: Reply; at?: number; of?: string }> {
    const row = await store.outbox.byId(input.page)
    const mine = row?.letter && row.visitor !== null && actor.visitor && row.visitor === formatVisitor(actor.visitor)
    if (!mine)
      return { reply: refusal(new DcmError('not_found', 'That list is not kept any more; type the command again.')) }
    const { reply } = openLetter(seal, row.id, row.letter!)
    const at = Math.max(0, Math.min(pagesOf(reply) - 1, Math.trunc(input.at) || 0))
    const { actions: _, ...whole } = reply
    return { reply: whole, at, of: row.id }
  }

  return answer
}
