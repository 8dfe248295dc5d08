import type { Chat } from '../../core/chat/chat.ts'
import { within } from '../../core/chat/within.ts'
import type { Door } from '../../core/door/door.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { quickly, type Response } from './answer.ts'
import { pathOf, type Payload } from './payload.ts'
import type { Place } from './place.ts'
import { findPublished, lineCommand } from './publish.ts'

const offer = (names: readonly string[], kept: string): Response => ({
  type: 8,
  data: {
    choices: names
      .map((name) => kept + name)
      .filter((one) => one.length >= 1 && one.length <= 100)
      .slice(0, 25)
      .map((one) => ({ name: one, value: one })),
  },
})

/** Makes what completes what somebody types. */
export function createComplete({ door, chat, place }: { door: Door; chat: Chat; place: Place }) {
  const { commands } = door

  /** What could stand where somebody is typing; of a list of values the last one is completed. */
  async function complete(payload: Payload, visitor: Visitor): Promise<Response> {
    const { words, options } = pathOf(payload.data)
    const focused = options.find((option) => option.focused)
    const none = { type: 8, data: { choices: [] } }
    if (!focused) return none
    const text = String(focused.value ?? '')
    let line = text
    let kept = ''
    if (words[0] !== lineCommand) {
      const found = findPublished(commands, words)
      const arg = found?.args[focused.name]
      if (!found || !arg) return none
      const several = arg.many || arg.each || arg.rest
      kept = several ? text.slice(0, text.lastIndexOf(' ') + 1) : ''
      if (arg.of)
        return offer(
          arg.of.filter((one) => one.startsWith(text)),
          kept,
        )
      const positional = Object.entries(found.args).filter(([, one]) => !one.flag && !one.rest && one.kind !== 'flag')
      const before = positional
        .slice(
          0,
          Math.max(
            0,
            positional.findIndex(([name]) => name === focused.name),
          ),
        )
        .map(() => 'x')
      line = [found.name, ...(arg.flag ? [`--${focused.name}`] : before), text.slice(kept.length)].join(' ')
    } else kept = text.slice(0, text.lastIndexOf(' ') + 1)
    const names = await within(
      (async () => ((await place.stays(visitor)) ? [] : door.complete(await chat.identify(visitor), line)))(),
      quickly,
    )
    return offer(names ?? [], kept)
  }

  return complete
}
