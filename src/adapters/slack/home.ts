import type { Chat } from '../../core/chat/chat.ts'
import { type Home, homeOf } from '../../core/chat/home.ts'
import type { Button } from '../../core/chat/outlet.ts'
import type { Door } from '../../core/door/door.ts'
import type { Visitor } from '../../core/model/visitor.ts'
import { errorOf, type Tokens, tokenErrors } from './client.ts'
import { type Block, button, note, plainText, render } from './render.ts'

/** What is used at all shows. */
const bar = (share: number) => '█'.repeat(Math.ceil(share * 10)).padEnd(10, '░')

const section = (text: string): Block => ({ type: 'section', text: plainText(text, 3000) })
const header = (text: string): Block => ({ type: 'header', text: plainText(text, 150) })

/** The App Home of a member; `buttons` are those of each container and of each request, in order. */
function homeView(home: Home, buttons: { containers: Button[][]; requests: Button[][] }): Record<string, unknown> {
  const blocks: Block[] = [
    section(home.text),
    {
      type: 'actions',
      elements: [
        {
          type: 'button',
          action_id: 'form',
          text: plainText('Create a container', 75),
          style: 'primary',
          value: JSON.stringify({ command: home.create, given: {} }),
        },
      ],
    },
  ]
  for (const [at, container] of home.containers.entries()) {
    blocks.push(section(`${container.name}\n${container.status}`))
    const mine = buttons.containers[at] ?? []
    if (mine.length > 0) blocks.push({ type: 'actions', elements: mine.map(button) })
  }
  if (home.more > 0) blocks.push(note(`${home.more} more; ps lists them all.`))
  blocks.push({ type: 'divider' }, header('Quota'))
  if (home.quota.length > 0)
    blocks.push({
      type: 'section',
      fields: home.quota
        .slice(0, 10)
        .map((row) => plainText(`${row.name}\n${bar(row.share)} ${row.used} of ${row.limit}`, 2000)),
    })
  if (home.requests.length > 0) {
    blocks.push({ type: 'divider' }, header('Open requests'))
    for (const [at, request] of home.requests.entries()) {
      blocks.push(section(request.text))
      const mine = buttons.requests[at] ?? []
      if (mine.length > 0) blocks.push({ type: 'actions', elements: mine.map(button) })
    }
  }
  return { type: 'home', blocks: blocks.slice(0, 100) }
}

/** The App Home of somebody whom DCM does not know, or while it cannot be had. */
const plainView = (reply: Parameters<typeof render>[0]['reply'], buttons: Button[]): Record<string, unknown> => ({
  type: 'home',
  blocks: render({ reply, buttons }).blocks,
})

/** Puts somebody's page up, as it is now. */
export type ShowHome = (visitor: Visitor, scope: string) => Promise<void>

/** Makes what puts up home pages. */
export function createHome({ door, chat, tokens }: { door: Door; chat: Chat; tokens: Tokens }): ShowHome {
  return async (visitor, scope) => {
    const actor = await chat.identify(visitor)
    const got = await homeOf(door, actor)
    const view =
      'reply' in got
        ? plainView(got.reply, await chat.buttons(actor, got.reply.actions ?? []))
        : homeView(got.home, {
            containers: await Promise.all(got.home.containers.map((one) => chat.buttons(actor, one.actions))),
            requests: await Promise.all(got.home.requests.map((one) => chat.buttons(actor, one.actions))),
          })
    const client = await tokens.client(scope)
    await client.views.publish({ user_id: visitor.user, view: view as never }).catch((err: unknown) => {
      if (tokenErrors.has(errorOf(err) ?? '')) tokens.forget(scope)
      throw err
    })
  }
}
