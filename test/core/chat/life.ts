import { setTimeout as sleep } from 'node:timers/promises'
import { createChat } from '../../../src/core/chat/chat.ts'
import { commands } from '../../../src/commands/index.ts'
import { createContexts } from '../../../src/core/door/context.ts'
import { createDoor } from '../../../src/core/door/create.ts'
import type { Works } from '../../../src/core/operation/define.ts'
import { createRunner } from '../../../src/core/operation/runner.ts'
import { operations } from '../../../src/operations/index.ts'
import type { World } from '../door/world.ts'

/** A log that keeps what it is told. */
export function createKeptLog() {
  const said: { level: string; facts: Record<string, unknown>; message: string }[] = []
  const keep = (level: string) => (facts: Record<string, unknown>, message: string) =>
    void said.push({ level, facts, message })
  const log = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error'), child: () => log }
  return { said, log }
}

/** One life of a process that serves chats: a runner, a door and an outbox of its own over the store of a world. */
export function createLife(
  world: World,
  options: {
    holder: string
    log: ReturnType<typeof createKeptLog>['log']
    storeWithin?: number | undefined
    store?: Works['store']
  },
) {
  const { holder, log, storeWithin, store = world.store } = options
  const runner = createRunner({ works: world.works, operations, holder, log })
  const door = createDoor({
    works: world.works,
    commands,
    runner,
    log,
    contextFor: createContexts(world.works, commands),
  })
  const chat = createChat({
    works: { ...world.works, store, sleep: (ms) => sleep(ms) },
    door,
    commands,
    log,
    holder,
    ...(storeWithin === undefined ? {} : { storeWithin }),
  })
  let resume: NodeJS.Timeout | undefined
  return {
    door,
    chat,
    start() {
      chat.start(() => true)
      resume = setInterval(() => void runner.resume().catch(() => undefined), 100)
    },
    async stop() {
      clearInterval(resume)
      await runner.stop(100)
      await chat.stop(500)
    },
  }
}

/** What a life held that has ended is free at once, as a next one on the same folder finds it. */
export async function freeAll(world: World): Promise<void> {
  await world.sql(`update outbox set lease_until = null`)
  await world.sql(`update operations set lease_until = null, next_at = now() where status in ('open', 'undoing')`)
}
