import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { expect } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { eachArg } from '../../../src/core/door/read.ts'
import { findCommand } from '../../../src/core/command/find.ts'
import { parseLine } from '../../../src/core/command/parse.ts'
import { createContexts } from '../../../src/core/door/context.ts'
import { createDoor } from '../../../src/core/door/create.ts'
import type { Call, Door, Waiting } from '../../../src/core/door/door.ts'
import { createFakeHost, type FakeMethod } from '../../stand-ins/host/fake.ts'
import type { Container } from '../../../src/core/model/container.ts'
import type { Actor, Person, Role } from '../../../src/core/model/person.ts'
import type { Works } from '../../../src/core/operation/define.ts'
import { createRunner, type Runner } from '../../../src/core/operation/runner.ts'
import type { ErrorCode } from '../../../src/core/reply/error.ts'
import type { Reply } from '../../../src/core/reply/reply.ts'
import { createSeal } from '../../../src/core/secret/seal.ts'
import type { AuditRecord } from '../../../src/core/store/audit.ts'
import { type Opened, openPostgres } from '../../../src/core/store/open.ts'
import { openMemory } from '../../setup/embedded.ts'
import { createStore, type Store } from '../../../src/core/store/store.ts'
import { operations } from '../../../src/operations/index.ts'

/** The wire form of an ed25519 public key (RFC 8709 section 4), as one line of a .pub file. */
export function publicKey(comment = 'test@laptop'): string {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer).swap32(), bytes])
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.from(x!, 'base64url'))])
  return `ssh-ed25519 ${blob.toString('base64')} ${comment}`.trimEnd()
}

/** A line as typed, or a command by name with arguments as JSON. */
export type Said = string | { name: string; args: Record<string, unknown> }

const inputOf = (said: Said): Call['input'] => (typeof said === 'string' ? { line: said } : said)

/** What holds for every reply: it is a sentence, names no place of the host, and its data is what the command says it gives. */
export function checkReply(said: Said, reply: Reply): void {
  const line = JSON.stringify(said)
  expect(reply.text, line).toMatch(/^\S[\s\S]*(?:[.?:]$|[.?] Usage: )/)
  expect(JSON.stringify({ ...reply, code: '' }), line).not.toMatch(/\/fake\/|at \w+ \(|node_modules|\/work\//)
  expect(reply.tone === 'error', line).toBe(reply.error !== undefined && !asks(reply))
  if (reply.error !== undefined || reply.data === undefined) return
  const { command, given, dry } =
    typeof said === 'string'
      ? { ...parseLine(commands, said), dry: parseLine(commands, said).reserved['dry-run'] }
      : { ...findCommand(commands, said.name.split(' ')), given: said.args, dry: said.args['dry-run'] === true }
  expect(JSON.parse(JSON.stringify(reply.data)), line).toEqual(reply.data)
  const each = eachArg(command)
  const several = each !== undefined && Array.isArray(given[each]) && given[each].length > 1
  const targets = several ? (reply.data as { data?: unknown; operation: { state: string } | null }[]) : []
  const answers = several
    ? targets.filter((one) => one.operation?.state !== 'running' && !(dry && !('data' in one))).map((one) => one.data)
    : [reply.data]
  for (const data of answers) expect(command.gives?.safeParse(data).error, line).toBeUndefined()
}

const asks = (reply: Reply) => (reply.data as { confirm?: boolean } | undefined)?.confirm === true

/** One call with all that it left: the answer, what was asked of the host, and the rows of the audit log. */
export type Told = { reply: Reply; asked: FakeMethod[]; rows: AuditRecord[] }

/** How a call comes in, beside the line. */
export type How = { actor?: Partial<Actor>; idempotencyKey?: string; body?: AsyncIterable<Uint8Array> } & Waiting

/** The whole core over an embedded database and a fake host, with the real door, runner, commands and operations. */
export type World = AsyncDisposable & {
  works: Works
  store: Store
  door: Door
  runner: Runner
  host: ReturnType<typeof createFakeHost>
  /** The member `admin`, as they are after the first start. */
  admin: Person
  /** A member with a key, made anew unless there is one of that name. */
  member(name: string, role?: Role): Promise<Person>
  /** Says a line as a member and waits for the outcome. */
  say(who: Person, said: Said, how?: How): Promise<Reply>
  /** The same, with what it left. */
  tell(who: Person, said: Said, how?: How): Promise<Told>
  /** Says what must be refused: exactly one row of the audit log says so, and neither host nor operation was asked. */
  refused(who: Person, said: Said, code: ErrorCode | readonly ErrorCode[], how?: How): Promise<Reply>
  /** The same of a call that comes another way; `refusal` makes it, and tells the code that it was answered with. */
  nothing(refusal: () => Promise<ErrorCode | undefined>): Promise<void>
  /** The row of a member's container. */
  container(owner: Person, name: string): Promise<Container>
  /** Statements that no command offers: making a grant old, for one. */
  sql(statement: string): Promise<void>
  /** What a query gives, to look at what is really stored. */
  rows<T = Record<string, unknown>>(query: string): Promise<T[]>
  /** Told of each statement before the embedded database gets it, and may throw in its stead. */
  meddle(met: ((statement: string) => void) | undefined): void
  /** Lines that the log got at `warn` and above. */
  logged: { level: 'warn' | 'error'; facts: Record<string, unknown>; message: string }[]
}

type Queries = { query(statement: string, ...more: unknown[]): Promise<unknown> }

/** Stands between drizzle and the embedded database, in and outside of transactions. */
function overhear(opened: Opened): World['meddle'] {
  let met: ((statement: string) => void) | undefined
  const listening = <T extends Queries>(to: T): T => {
    const query = to.query.bind(to)
    to.query = async (statement, ...more) => {
      met?.(statement)
      return query(statement, ...more)
    }
    return to
  }
  type Client = Queries & { transaction<T>(work: (tx: Queries) => Promise<T>): Promise<T> }
  const { $client } = opened.db as unknown as { $client?: Client }
  if ($client && opened.kind === 'embedded') {
    const transaction = $client.transaction.bind($client)
    $client.transaction = (work) => transaction((tx) => work(listening(tx)))
    listening($client)
  }
  return (next) => void (met = next)
}

/** Makes a world with two offered images: `debian` and, without sshd, `bare`. */
export async function createWorld(
  options: {
    settings?: Partial<Works['settings']>
    memory?: number
    /** In thousandths. */
    cpus?: number
    /** URL of a PostgreSQL database; the embedded one when absent. */
    database?: string
    /** Without images, and with the quota that a site begins with. */
    bare?: true
    /** What commands may ask for, where some of it is to be another's. */
    contexts?: typeof createContexts
  } = {},
): Promise<World> {
  const opened = await (options.database ? openPostgres(options.database) : openMemory())
  const store = createStore(opened)
  const host = createFakeHost({ id: 'local', instance: 'test' })
  const works: Works = {
    store,
    host: () => host,
    seal: createSeal(randomBytes(32)),
    place: {
      publicHost: 'dcm.example',
      bindHost: '127.0.0.1',
      publicUrl: 'http://127.0.0.1:8787',
      version: '0',
      instance: 'test',
      ssh: null,
    },
    settings: {
      hostId: 'local',
      ports: { low: 20_000, high: 20_999 },
      subnetPool: '10.200.0.0/16',
      ...options.settings,
    },
    now: () => new Date(),
    random: randomBytes,
    sleep: async (ms) => {
      await setTimeout(Math.min(ms, 5))
    },
  }
  await store.hosts.ensure('local')
  await store.hosts.update('local', { memory: options.memory ?? 64 * 2 ** 30, cpus: options.cpus ?? 64_000 })
  await store.hosts.seen('local')
  // Nobody follows the fake host here: what is known of it must not grow old while a file's tests run.
  await opened.db.execute(sql`update hosts set seen_at = now() + interval '1 hour'`)
  const logged: World['logged'] = []
  const log = {
    debug() {},
    info() {},
    warn: (facts: Record<string, unknown>, message: string) => void logged.push({ level: 'warn', facts, message }),
    error: (facts: Record<string, unknown>, message: string) => void logged.push({ level: 'error', facts, message }),
  }
  const runner = createRunner({ works, operations, holder: 'test', log })
  const door = createDoor({
    works,
    commands,
    runner,
    log,
    contextFor: (options.contexts ?? createContexts)(works, commands),
  })
  const admin = await store.people.insert({ id: 'adminadmin01', name: 'admin', role: 'admin' })
  let calls = 0

  const member: World['member'] = async (name, role = 'member') => {
    const there = await store.people.byName(name)
    if (there) return there
    const reply = await say(admin, `user add ${name} --key "${publicKey(name)}"${role === 'admin' ? ' --admin' : ''}`)
    expect(reply.error, reply.text).toBeUndefined()
    return (await store.people.byName(name))!
  }

  const tell: World['tell'] = async (who, said, how = {}) => {
    const { actor, idempotencyKey, body, ...waiting } = how
    const person = (await store.people.byId(who.id)) ?? who
    const requestId = `request-${++calls}`
    const before = host.fake.calls.length
    const call: Call = {
      actor: { surface: 'http', ...actor, person },
      input: inputOf(said),
      requestId,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(body ? { body } : {}),
    }
    const reply = await door.handle(call, { wait: 20_000, ...waiting })
    checkReply(said, reply)
    const rows = (await store.audit.read({ limit: 30 })).filter((row) => row.requestId === requestId)
    return { reply, asked: host.fake.calls.slice(before).map((one) => one.method), rows }
  }

  const say: World['say'] = async (who, said, how) => (await tell(who, said, how)).reply

  const world: World = {
    works,
    store,
    door,
    runner,
    host,
    admin,
    member,
    say,
    tell,
    async refused(who, said, code, how) {
      const open = await store.operations.countOpen()
      const { reply, asked, rows } = await tell(who, said, how)
      const line = JSON.stringify(said)
      expect(reply, line).toMatchObject({ error: expect.toBeOneOf([code].flat()), tone: 'error' })
      expect(asked, line).toEqual([])
      expect(rows, line).toEqual([
        expect.objectContaining({ decision: 'refused', code: reply.error, operationId: null }),
      ])
      expect(await store.operations.countOpen(), line).toBe(open)
      return reply
    },
    async nothing(refusal) {
      const [last] = await store.audit.read({ limit: 1 })
      const [before, open] = [host.fake.calls.length, await store.operations.countOpen()]
      const code = await refusal()
      expect(host.fake.calls.slice(before).map((one) => one.method)).toEqual([])
      expect(await store.operations.countOpen()).toBe(open)
      expect((await store.audit.read({ limit: 3 })).filter((row) => row.id > (last?.id ?? 0))).toEqual([
        expect.objectContaining({ decision: 'refused', code, operationId: null }),
      ])
    },
    async container(owner, name) {
      const found = await store.containers.byName(owner.id, name)
      if (!found) throw new Error(`${owner.name} has no container ${name}`)
      return found
    },
    async sql(statement) {
      await opened.db.execute(sql.raw(statement))
    },
    async rows<T>(query: string) {
      const got = (await opened.db.execute(sql.raw(query))) as unknown as T[] | { rows: T[] }
      return Array.isArray(got) ? got : got.rows
    },
    meddle: overhear(opened),
    logged,
    async [Symbol.asyncDispose]() {
      await runner.stop(1000)
      await store.close()
    },
  }
  if (options.bare) return world
  // Room for every test; one about quotas gives a member a quota of their own.
  await say(admin, 'quota site containers=100 running=100 memory=48g cpus=60 pids=30000 images=100 ports=100')
  host.fake.addImage('debian:bookworm')
  host.fake.addImage('bare:1', { has: [] })
  for (const [source, name] of [
    ['debian:bookworm', 'debian'],
    ['bare:1', 'bare'],
  ]) {
    const reply = await say(admin, `image offer ${source} --name ${name}`)
    expect(reply.error, reply.text).toBeUndefined()
  }
  return world
}
