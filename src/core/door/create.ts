import { join } from 'shlex'
import type { Context } from '../command/context.ts'
import type { Begin, Command } from '../command/define.ts'
import { type Given, type Parsed, parseLine, parseObject, parseWords, findCommand } from '../command/parse.ts'
import { splitWords, untypeset } from '../command/words.ts'
import { calledBy, type Container } from '../model/container.ts'
import { newId } from '../model/id.ts'
import { personName } from '../model/name.ts'
import type { Actor } from '../model/person.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import type { Log, Runner } from '../operation/runner.ts'
import { type Caller, canCall, mayCall, mayFollow, stranger } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import { info, refusal, type Reply, warn } from '../reply/reply.ts'
import { printable } from '../reply/text.ts'
import { createAttend } from './attend.ts'
import { candidates } from './complete.ts'
import type { Call, Door, Waiting } from './door.ts'
import { gather } from './gather.ts'
import { createIdentify } from './identify.ts'
import { createLogin } from './login.ts'
import { lookupFor } from './lookup.ts'
import { createOpen } from './open.ts'
import { eachArg, readArgs } from './read.ts'
import { askerOf, auditEntry } from './record.ts'
import { createRepeats, digestOf, type Keyed } from './repeat.ts'
import { viewOf } from './view.ts'

/** What a door opens on. */
export type DoorDeps = {
  works: Works
  commands: readonly Command[]
  runner: Runner
  log: Log
  contextFor(caller: Caller): Omit<Context, 'consider'>
  /** This process, as its rows of connected members are marked; and how many connections a member may have. */
  holder?: string
  perMember?: number
}

/** What is known of a call once it has been read; for the audit row and the log. */
type Facts = {
  requestId: string
  actor: Actor
  command: string
  target: string | null
  detail?: string
  keyed?: Keyed
  again?: boolean
}

/** Makes the one door. Order: find, who, may they, read, admit and lock, run or begin, record, answer. */
export function createDoor(deps: DoorDeps): Door {
  const { works, commands, runner, log } = deps
  const { store } = works
  const repeats = createRepeats({ store, seal: works.seal, sleep: works.sleep, now: works.now })

  function parse(input: Call['input']): Parsed {
    if ('line' in input) return parseLine(commands, input.line)
    if ('words' in input) return parseWords(commands, input.words)
    const { command } = findCommand(commands, input.name.split(' '))
    return parseObject(command, input.args)
  }

  /** What somebody in a chat says whom DCM does not know: the little that strangers may, and for the rest how to become known. */
  function strangers(input: Call['input']): Parsed {
    let parsed: Parsed | undefined
    try {
      parsed = parse(input)
    } catch (error) {
      if (!(error instanceof DcmError)) throw error
    }
    if (parsed?.command.strangers && parsed.reserved.as === undefined) return parsed
    throw stranger()
  }

  /** With `--as`, an admin becomes the member: their rights, quota and grants, and no others. */
  async function actingFor(actor: Actor, name: string): Promise<Actor> {
    const { person, scope, by, ...from } = actor
    if (!person || person.role !== 'admin' || scope || by)
      throw new DcmError('denied', '--as is for admins who are signed in themselves.')
    const member = personName.test(name) ? await store.people.byName(name) : undefined
    if (!member) throw new DcmError('not_found', `There is no member called ${name.slice(0, 40)}.`, { try: 'user ls' })
    return { ...from, person: member, by: person }
  }

  async function handle(call: Call, waiting: Waiting = {}): Promise<Reply> {
    const facts: Facts = {
      requestId: call.requestId ?? newId(works.random),
      actor: call.actor,
      command: '?',
      target: null,
      ...(call.again ? { again: true } : {}),
    }
    try {
      const parsed = call.actor.visitor && !call.actor.person ? strangers(call.input) : parse(call.input)
      facts.command = parsed.command.name
      facts.target = targetOf(parsed)
      if (parsed.reserved.as !== undefined) facts.actor = await actingFor(call.actor, parsed.reserved.as)
      mayCall(facts.actor, parsed.command)
      const reply = await once(call, parsed, facts, waiting)
      return parsed.reserved.post && !reply.error ? { ...reply, post: harmless(facts) } : reply
    } catch (error) {
      if (facts.command === '?') await asCalled(call, facts)
      return refused(error, facts)
    }
  }

  /** What can be told of a call that is no sense as a whole: a refusal's row says what was asked for, and as whom. */
  async function asCalled({ actor, input }: Call, facts: Facts): Promise<void> {
    facts.command = called(input)
    const as = namedAs(input)
    if (as === undefined) return
    // Whether they may is what the refusal is about already, or the database is away: the row then has the caller alone.
    facts.actor = await actingFor(actor, as).catch(() => actor)
  }

  /** The command that a call names, also when the rest of it is no sense. */
  function called(input: Call['input']): string {
    try {
      const words =
        'line' in input ? splitWords(untypeset(input.line)) : 'words' in input ? input.words : input.name.split(' ')
      return findCommand(commands, words).command.name
    } catch (error) {
      if (error instanceof DcmError) return '?'
      throw error
    }
  }

  /** A call with an Idempotency-Key is carried out once; a repeat gets what the first was answered. */
  async function once(call: Call, parsed: Parsed, facts: Facts, waiting: Waiting): Promise<Reply> {
    const { person } = facts.actor
    if (call.idempotencyKey === undefined || !parsed.command.changes || !person) return carryOut(parsed, facts, waiting)
    const { yes, 'dry-run': dry, as } = parsed.reserved
    // With the token's limits: what a token was answered is not for one that may do less.
    const { scope } = facts.actor
    // An admin's keys are the admin's also when they act for a member, who may use the same ones.
    const keyed = {
      ownerId: (facts.actor.by ?? person).id,
      key: call.idempotencyKey,
      digest: digestOf([parsed.command.name, parsed.given, yes, dry, as, ...(scope ? [scope] : [])]),
    }
    const earlier = await repeats.claim(keyed, Math.min(waiting.wait ?? 30_000, 30_000))
    if ('reply' in earlier) return earlier.reply
    if ('operationId' in earlier) return outcome(earlier.operationId, waiting)
    facts.keyed = keyed
    try {
      const reply = await carryOut(parsed, facts, waiting)
      await repeats.settle(keyed, reply)
      return reply
    } catch (error) {
      await repeats.settle(keyed, refusal(explain(error)))
      throw error
    }
  }

  async function carryOut(parsed: Parsed, facts: Facts, waiting: Waiting): Promise<Reply> {
    const each = eachArg(parsed.command)
    const targets = each ? parsed.given[each] : undefined
    if (!each || !Array.isArray(targets) || targets.length <= 1) return one(parsed, parsed.given, facts, waiting)
    if (targets.length > 100) throw new DcmError('usage', `${each} takes at most 100 values.`)
    const replies = await Promise.all(
      [...new Set(targets)].map(async (target) => {
        const mine = { ...facts, target }
        const reply = await one(parsed, { ...parsed.given, [each]: [target] }, mine, waiting).catch((error: unknown) =>
          refused(error, mine),
        )
        return { target, reply }
      }),
    )
    const asked = replies.filter(({ reply }) => asksToConfirm(reply)).map(({ target }) => target)
    const gathered = gather(replies)
    if (asked.length === 0) return gathered
    const line = confirming(parsed, { ...parsed.given, [each]: asked })
    const actions = [{ label: 'Confirm', line, danger: true as const }]
    if (asked.length < replies.length) return { ...gathered, actions }
    const question = `Confirm ${parsed.command.name} of ${asked.join(', ')} with --yes; the table says what it means.`
    return {
      ...warn(question, {
        actions,
        data: { confirm: true, line },
        ...(gathered.table ? { table: gathered.table } : {}),
      }),
      error: 'conflict',
    }
  }

  /** One command on one target. */
  async function one(parsed: Parsed, given: Given, facts: Facts, waiting: Waiting): Promise<Reply> {
    const { command, reserved } = parsed
    // Before anything is read: what was to be changed may be gone by now, because it was.
    const earlier =
      facts.again && command.changes ? await store.operations.ofRequest(facts.requestId, facts.target) : undefined
    if (earlier) return outcome(earlier.id, waiting)
    const caller = facts.actor as Caller
    const args = facts.actor.person
      ? await readArgs(command, given, lookupFor({ store, commands, now: works.now }, caller, command.needs))
      : await readArgs(command, given, nobody)
    const context: Context = { ...deps.contextFor(caller), consider: (line) => consider(line, facts) }
    // An admin's look at what is another's is written down like a change.
    const recorded = command.changes || command.records || facts.actor.by || isOthers(command, args, caller)
    if (reserved['dry-run']) {
      const reply = await dry(command, args, context, facts)
      if (recorded) await record({ ...facts, detail: 'dry run' }, 'done')
      return reply
    }
    const question = command.confirms?.(args as never)
    if (question !== undefined && !reserved.yes) {
      const line = confirming(parsed, given)
      // What would go is listed with the question, so that nobody confirms blindly.
      const { fields, table } = command.preview ? await command.preview(args as never, context) : {}
      const extras = { actions: [{ label: 'Confirm', line, danger: true as const }], data: { confirm: true, line } }
      return {
        ...warn(question, { ...extras, ...(fields ? { fields } : {}), ...(table ? { table } : {}) }),
        error: 'conflict',
      }
    }
    const result = await command.run(args as never, context)
    if (!('begin' in result)) {
      if (recorded) await record(facts, 'done')
      return command.private ? { ...result, private: true } : result
    }
    return begun(result, facts, waiting)
  }

  /** What would happen, as far as can be told without doing it. */
  async function dry(command: Command, args: Record<string, unknown>, context: Context, facts: Facts): Promise<Reply> {
    if (command.preview) return command.preview(args as never, context)
    const what = `${command.name}${facts.target ? ` ${facts.target}` : ''}`
    if (!command.begins) return info(`${what} is understood, and all that it names is there; nothing was done.`)
    const result = await command.run(args as never, context)
    if ('begin' in result)
      await runner.consider(result.begin, result.input, { ownerId: await ownerOf(result), target: facts.target })
    return info(`${what} would be accepted now; nothing was done.`)
  }

  /** Goes as far as admission with another line of the same caller, and says what decided. */
  async function consider(line: string, facts: Facts): Promise<Awaited<ReturnType<Context['consider']>>> {
    let command: Command | undefined
    let rule = 'what DCM offers'
    try {
      const parsed = parseWords(commands, splitWords(untypeset(line)))
      ;({ command } = parsed)
      if (Object.values(command.args).some((arg) => arg.raw))
        throw new DcmError('usage', `${command.name} asks about another command.`, { try: `help ${command.name}` })
      const actor =
        parsed.reserved.as === undefined || facts.actor.by
          ? facts.actor
          : await actingFor(facts.actor, parsed.reserved.as)
      rule = actor.scope ? 'your token' : 'your role'
      mayCall(actor, command)
      const caller = actor as Caller
      const each = eachArg(command)
      const targets =
        each && Array.isArray(parsed.given[each]) ? (parsed.given[each] as string[]).slice(0, 100) : [undefined]
      for (const target of targets) {
        rule = 'what you own and what is shared with you'
        const args = await readArgs(
          command,
          target === undefined ? parsed.given : { ...parsed.given, [each!]: [target] },
          lookupFor({ store, commands, now: works.now }, caller, command.needs),
        )
        rule = 'quota, grants and the state of things'
        const context: Context = { ...deps.contextFor(caller), consider: (another) => consider(another, facts) }
        await dry(command, args, context, { ...facts, actor, command: command.name, target: targetOf(parsed) })
        rule = decided(command, args, caller)
      }
      return { command: command.name, rule, refusal: null }
    } catch (error) {
      const refusal = explain(error)
      if (refusal.code === 'internal' || refusal.code === 'unavailable') throw error
      return { command: command?.name ?? null, rule: refusal.code === 'usage' ? 'how it is written' : rule, refusal }
    }
  }

  /** Whose row an operation's admission locks. */
  async function ownerOf(result: Begin): Promise<string | null> {
    const { input } = result as { input: { ownerId?: string; containerId?: string; personId?: string } }
    const container = input.containerId ? await store.containers.byId(input.containerId) : undefined
    return input.ownerId ?? container?.ownerId ?? input.personId ?? null
  }

  async function begun(result: Begin, facts: Facts, waiting: Waiting): Promise<Reply> {
    const asker = {
      ...askerOf(facts.actor, facts.command, facts.target, facts.requestId),
      ownerId: await ownerOf(result),
    }
    const { keyed } = facts
    const id = await runner.begin(result.begin, result.input, asker, async (tx, operationId) => {
      if (keyed) await tx.calls.settle(keyed.ownerId, keyed.key, { operationId })
    })
    return outcome(id, waiting)
  }

  async function outcome(id: string, waiting: Waiting): Promise<Reply> {
    const ended = await runner.wait(id, {
      ...(waiting.wait === undefined ? {} : { ms: waiting.wait }),
      ...(waiting.signal ? { signal: waiting.signal } : {}),
      ...(waiting.progress ? { progress: waiting.progress } : {}),
    })
    if (!ended) throw new DcmError('not_found', 'There is no such operation.')
    if (ended.reply) return { ...ended.reply, operation: { id, state: ended.state } }
    const progress = ended.row.progress
    return info(
      `${ended.row.command} goes on${progress ? ` (${progress})` : ''}; ask for operation ${id} to see how it ends.`,
      {
        operation: { id, state: 'running', ...(progress ? { progress } : {}) },
      },
    )
  }

  async function record(facts: Facts, decision: 'done' | 'refused' | 'failed', error?: DcmError): Promise<void> {
    const detail = error && error.code !== 'usage' ? printable(error.message) : (facts.detail ?? null)
    const { actor, command, requestId, target } = facts
    await store.audit.add(
      auditEntry(actor, { command, requestId, target, decision, detail, ...(error ? { code: error.code } : {}) }),
    )
  }

  /** The only place where anything thrown becomes words. */
  async function refused(error: unknown, facts: Facts): Promise<Reply> {
    const said = explain(error)
    const { requestId, command } = facts
    const broken = said.code === 'internal'
    if (broken) log.error({ requestId, command, err: said.cause ?? said }, 'a call broke')
    else if (said.code === 'unavailable')
      log.warn({ requestId, command, err: said.cause ?? said }, 'a call found something that does not answer')
    // A log that cannot be written must not hide the answer; the database is probably what is down.
    await record(facts, broken ? 'failed' : 'refused', said).catch((err: unknown) =>
      log.warn({ requestId, err }, 'a refusal could not be recorded'),
    )
    return refusal(
      broken
        ? new DcmError(
            'internal',
            `Something broke on our side (reference ${requestId}); an admin finds it in the log.`,
          )
        : said,
    )
  }

  const door: Door = {
    commands,
    identify: createIdentify({ store, log }),
    login: createLogin({ works, log }),
    attend: createAttend({ works, log, holder: deps.holder ?? 'here', perMember: deps.perMember ?? 50 }).attend,
    open: createOpen({ works, commands, log, handle }),
    handle,
    async complete(actor, line) {
      try {
        if (actor.person?.state !== 'active') return []
        const mine = commands.filter((command) => canCall(actor, command))
        return await candidates(mine, line, (command) =>
          lookupFor({ store, commands, now: works.now }, actor as Caller, command.needs),
        )
      } catch (error) {
        if (!(error instanceof DcmError)) log.warn({ err: error }, 'a completion broke')
        return []
      }
    },
    async operation(actor, id, waiting = {}) {
      const row = await store.operations.byId(id)
      const { person } = actor
      const theirs = row && person?.state === 'active' && mayFollow(actor as Caller, row)
      if (!theirs) throw new DcmError('not_found', 'You have no such operation.')
      return viewOf((await runner.wait(id, { ...waiting, ms: waiting.wait ?? 0 }))!)
    },
    async health() {
      const problems: string[] = []
      let open = 0
      try {
        open = await store.operations.countOpen()
        if ((await store.hosts.stale(20_000)).length > 0) problems.push('Docker does not answer.')
      } catch {
        problems.push('The database does not answer.')
      }
      return { ready: problems.length === 0, settled: open === 0, open, problems }
    },
  }
  return door
}

/** What a channel may hear of a call: who and what, and nothing of the answer. */
const harmless = ({ actor, command, target }: Facts) =>
  `${actor.person?.name ?? 'Somebody'} used ${command}${target ? ` ${target}` : ''}.`

/** The member whom a call that could not be read names by `--as`. */
function namedAs(input: Call['input']): string | undefined {
  if ('name' in input) return typeof input.args['as'] === 'string' ? input.args['as'] : undefined
  const words = 'line' in input ? untypeset(input.line).split(/\s+/) : input.words
  const own = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined)
  return (
    own.find((word) => word.startsWith('--as='))?.slice('--as='.length) ??
    (own.includes('--as') ? own[own.indexOf('--as') + 1] : undefined)
  )
}

/** Whether a reply is only the question before a command. */
const asksToConfirm = (reply: Reply) => (reply.data as { confirm?: unknown } | undefined)?.confirm === true

/** The line that confirms a call: the same, with `--yes`. */
function confirming({ command, reserved }: Parsed, given: Given): string {
  const words = lineOf(command, given)
  const inside = words.indexOf('--')
  words.splice(inside < 0 ? words.length : inside, 0, ...(reserved.as ? ['--as', reserved.as] : []), '--yes')
  return join(words)
}

/** In a few words, what makes a command the caller's to use on what it names. */
function decided(command: Command, args: Record<string, unknown>, caller: Caller): string {
  const container = Object.entries(command.args).flatMap(([name, { kind }]) =>
    kind === 'container' && args[name] ? [args[name] as Container] : [],
  )[0]
  if (!container)
    return command.needs === 'admin'
      ? 'you are an admin'
      : command.needs === 'anyone'
        ? 'anyone may'
        : 'every member may, within their quota and grants'
  if (container.ownerId === caller.person.id) return `${container.name} is yours`
  const share = container.shares.find((one) => one.guestId === caller.person.id)
  return share ? `${calledBy(caller.person.id, container)} is shared with you (${share.level})` : 'you are an admin'
}

/** Whether a command is about something that is not the caller's own. */
function isOthers(command: Command, args: Record<string, unknown>, { person }: Caller): boolean {
  return Object.entries(command.args).some(([name, { kind }]) => {
    const thing = args[name] as { id: string; ownerId?: string } | undefined
    return (
      thing && ((kind === 'container' && thing.ownerId !== person.id) || (kind === 'person' && thing.id !== person.id))
    )
  })
}

/** What someone unknown may name: nothing. */
const nobody = new Proxy({} as Parameters<typeof readArgs>[2], {
  get: (_, name) => () => {
    if (name === 'now') return new Date()
    throw new DcmError('unlinked', 'DCM does not know you yet: ask an admin to add you.')
  },
})

/** What a call is about, for the audit row: its plain positional names, never a secret. */
function targetOf({ command, given }: Parsed): string | null {
  const names = Object.entries(command.args)
    .filter(([, arg]) => !arg.flag && !arg.rest && !arg.secret && arg.kind !== 'flag' && arg.kind !== 'line')
    .flatMap(([name]) => given[name] ?? [])
    .filter((value) => typeof value === 'string')
  return names.length > 0 ? printable(names.join(' ')).slice(0, 200) : null
}

/** Writes a call as the line that would make it. */
function lineOf(command: Command, given: Given): string[] {
  const words = command.name.split(' ')
  for (const [name, value] of Object.entries(given)) {
    const arg = command.args[name]!
    if (arg.rest) continue
    for (const text of Array.isArray(value) ? value : [value]) {
      if (arg.kind === 'flag') words.push(...(text === true || text === 'true' ? [`--${name}`] : []))
      else words.push(...(arg.flag ? [`--${name}`] : []), String(text))
    }
  }
  const rest = Object.entries(command.args).find(([, arg]) => arg.rest)?.[0]
  const after = rest ? given[rest] : undefined
  return Array.isArray(after) && after.length > 0 ? [...words, '--', ...after] : words
}
