import { sql } from 'drizzle-orm'
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import type { Context } from '../../src/core/command/context.ts'
import { parseLine } from '../../src/core/command/parse.ts'
import { spreadKeys } from '../../src/core/containers/runfolder.ts'
import { createContexts } from '../../src/core/door/context.ts'
import { createDoor } from '../../src/core/door/create.ts'
import type { Door } from '../../src/core/door/door.ts'
import { createFakeHost } from '../stand-ins/host/fake.ts'
import type { Actor, Person, Role } from '../../src/core/model/person.ts'
import type { Works } from '../../src/core/operation/define.ts'
import { createRunner } from '../../src/core/operation/runner.ts'
import { createKeys } from '../../src/core/people/keys.ts'
import { createPeople } from '../../src/core/people/people.ts'
import type { Reply } from '../../src/core/reply/reply.ts'
import { createSeal } from '../../src/core/secret/seal.ts'
import { openMemory } from '../setup/embedded.ts'
import { createStore, type Store } from '../../src/core/store/store.ts'
import { operations } from '../../src/operations/index.ts'

/** What holds for every reply: it is a sentence, and its data is what the command says it gives. */
function checkReply(line: string, reply: Reply): void {
  expect(reply.text, line).toMatch(/^\S.*(?:[.?]$|\. Usage: )/s)
  if (reply.error || reply.data === undefined) return
  const { gives } = parseLine(commands, line).command
  expect(gives?.safeParse(reply.data).error, line).toBeUndefined()
  expect(JSON.parse(JSON.stringify(reply.data)), line).toEqual(reply.data)
}

/** The whole core over an embedded database and a fake host, driven by typed lines. */
export type World = AsyncDisposable & {
  store: Store
  door: Door
  host: ReturnType<typeof createFakeHost>
  /** Ids of members whose keys were brought to their containers, in order. */
  told: string[]
  /** Makes the next telling fail. */
  deaf(): void
  member(name: string, role?: Role): Promise<Person>
  /** Types a line as a member; `actor` says more of how they came. */
  say(who: Person, line: string, actor?: Partial<Actor>): Promise<Reply>
  context(actor: Actor & { person: Person }): Omit<Context, 'consider'>
}

export async function createWorld(): Promise<World> {
  const opened = await openMemory()
  const store = createStore(opened)
  const host = createFakeHost({ id: 'local' })
  const told: string[] = []
  let deaf = false
  const works: Works = {
    store,
    host: () => host,
    seal: createSeal(randomBytes(32)),
    place: {
      publicHost: '127.0.0.1',
      bindHost: '127.0.0.1',
      publicUrl: 'http://127.0.0.1:8787',
      ssh: null,
      version: '0',
      instance: 'test',
    },
    settings: { hostId: 'local', ports: { low: 20_000, high: 20_099 }, subnetPool: '10.200.0.0/16' },
    now: () => new Date(),
    random: randomBytes,
    sleep: async (ms) => {
      await setTimeout(Math.min(ms, 5))
    },
  }
  await store.hosts.ensure('local')
  await store.hosts.update('local', { memory: 16 * 2 ** 30, cpus: 4000 })
  await store.hosts.seen('local')
  // Nobody follows the fake host here: what is known of it must not grow old while a file's tests run.
  await opened.db.execute(sql`update hosts set seen_at = now() + interval '1 hour'`)
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const runner = createRunner({ works, operations, holder: 'test', log })
  const keyDeps = {
    store,
    random: randomBytes,
    async onKeys(ownerId: string) {
      if (deaf) {
        deaf = false
        throw new Error('the host does not answer')
      }
      await spreadKeys(works, ownerId)
      told.push(ownerId)
    },
  }
  const contexts = createContexts(works, commands)
  const context: World['context'] = (caller) => ({
    ...contexts(caller),
    people: createPeople({ ...keyDeps, storage: async (id) => (await host.files.storage(id))?.used ?? 0 }),
    keys: createKeys(keyDeps),
  })
  const door = createDoor({ works, commands, runner, log, contextFor: context })
  return {
    store,
    door,
    host,
    told,
    deaf: () => void (deaf = true),
    member: async (name, role = 'member') =>
      (await store.people.byName(name)) ??
      store.people.insert({ id: `p${randomBytes(6).toString('hex')}`, name, role }),
    async say(who, line, actor = {}) {
      const person = (await store.people.byId(who.id)) ?? who
      const reply = await door.handle(
        { actor: { surface: 'http', ...actor, person }, input: { line } },
        { wait: 20_000 },
      )
      checkReply(line, reply)
      return reply
    },
    context,
    async [Symbol.asyncDispose]() {
      await runner.stop(1000)
      await store.close()
    },
  }
}
