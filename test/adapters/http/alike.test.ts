import { createHttp } from '../../../src/adapters/http/index.ts'
import { commands } from '../../../src/commands/index.ts'
import { createContexts } from '../../../src/core/door/context.ts'
import { createDoor } from '../../../src/core/door/create.ts'
import { createRunner, type Runner } from '../../../src/core/operation/runner.ts'
import type { Reply } from '../../../src/core/reply/reply.ts'
import { toText } from '../../../src/core/reply/text.ts'
import { operations } from '../../../src/operations/index.ts'
import { type ChatRig, chatConformance, type Seen, type Someone } from '../../contracts/chat.ts'
import { createWorld } from '../../core/door/world.ts'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** The plain HTTP API as one more way in: a caller that polls what goes on, and sends the same key with what it repeats. */
async function createRig(): Promise<ChatRig> {
  const world = await createWorld()
  let lives = 0
  let runner: Runner
  let http: ReturnType<typeof createHttp>
  const live = () => {
    runner = createRunner({ works: world.works, operations, holder: `life${++lives}`, log })
    const door = createDoor({
      works: world.works,
      commands,
      runner,
      log,
      contextFor: createContexts(world.works, commands),
    })
    http = createHttp({ door, log: log as never, version: '0' })
  }
  live()
  const seen = (reply: Reply): Seen => ({
    text: toText(reply),
    buttons: (reply.actions ?? []).map((action) => action.label),
    private: true,
    raw: reply,
  })
  let keys = 0

  function someone(token: string): Someone {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const post = async (line: string, key = `k${++keys}`, wait = 20) =>
      (await (
        await http.fetch(
          new Request('http://dcm.local/v1/line', {
            method: 'POST',
            headers: { ...headers, 'idempotency-key': key },
            body: JSON.stringify({ line, wait }),
          }),
        )
      ).json()) as Reply
    async function outcome(reply: Reply): Promise<Reply> {
      if (reply.operation?.state !== 'running') return reply
      const view = (await (
        await http.fetch(new Request(`http://dcm.local/v1/operations/${reply.operation.id}?wait=20`, { headers }))
      ).json()) as { reply: Reply }
      return view.reply
    }
    const lineOf = (one: Seen, label: string) =>
      (one.raw as Reply).actions!.find((action) => action.label === label)!.line
    return {
      type: async (line) => seen(await post(line)),
      press: async (one, label) => seen(await post(lineOf(one, label))),
      async repeat(line, times) {
        const key = `k${++keys}`
        return (await Promise.all(Array.from({ length: times }, () => post(line, key)))).map(seen)
      },
      async mash(one, label, times) {
        const key = `k${++keys}`
        return (await Promise.all(Array.from({ length: times }, () => post(lineOf(one, label), key)))).map(seen)
      },
      async begin(line) {
        const begun = await post(line, undefined, 0)
        return async () => seen(await outcome(begun))
      },
    }
  }

  return {
    world,
    surface: 'http',
    async member(name, role) {
      const person = await world.member(name, role)
      const made = await world.say(person, 'token new rig')
      return { person, someone: someone(made.code!) }
    },
    async restart() {
      await runner.stop(100)
      await world.sql(`update operations set lease_until = null, next_at = now() where status in ('open', 'undoing')`)
      live()
      await runner.resume()
    },
    violations: () => [],
    async [Symbol.asyncDispose]() {
      await runner.stop(500)
      await world[Symbol.asyncDispose]()
    },
  }
}

// Whoever shows no good token is refused before any line is read.
chatConformance('HTTP API', createRig, { strangers: false })
