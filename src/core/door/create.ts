import type { Context } from '../command/context.ts'
import type { Begin, Caller, Command } from '../command/define.ts'
import { findCommand } from '../command/find.ts'
import { type Given, type Parsed, parseLine, parseObject, parseWords } from '../command/parse.ts'
import type { Spot } from '../command/lookup.ts'
import { splitWords, untypeset } from '../command/words.ts'
import { dryRun } from '../model/audit.ts'
import { newId } from '../model/id.ts'
import type { Works } from '../operation/define.ts'
import type { Log } from '../model/log.ts'
import type { Runner } from '../operation/runner.ts'
import { canCall, mayCall, mayFollow, stranger } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import { info, type Reply, warn } from '../reply/reply.ts'
import type { Tables } from '../store/store.ts'
import { createActing } from './acting.ts'
import { createAttend } from './attend.ts'
import { candidates } from './complete.ts'
import { createConsider } from './consider.ts'
import type { Call, Door, Waiting } from './door.ts'
import { createWriter, type Facts, harmless } from './facts.ts'
import { createFan } from './fan.ts'
import { createIdentify } from './identify.ts'
import { actAs, confirming, namedAs, targetOf, waitingOf } from './line.ts'
import { createLogin } from './login.ts'
import { lookupFor } from './lookup.ts'
import { createOpen } from './open.ts'
import { readArgs } from './read.ts'
import { actingOf, askerFor } from './record.ts'
import { createRepeats } from './repeat.ts'
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

/** Makes the one door. Order: find, who, may they, read, admit and lock, run or begin, record, answer. */
export function createDoor(deps: DoorDeps): Door {
  const { works, commands, runner, log } = deps
  const { store } = works
  const actingFor = createActing({ store })
  const { contextFor } = deps
  const { dry, admitted, contextOf } = createConsider({
    store,
    commands,
    runner,
    now: works.now,
    contextFor,
    actingFor,
  })
  const { record, recorded, refused } = createWriter({ store, log })
  const repeats = createRepeats({ store, seal: works.seal, sleep: works.sleep })
  const carryOut = createFan({ repeats, refused, one, outcome })

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

  async function handle(call: Call, waiting: Waiting = {}): Promise<Reply> {
    const facts: Facts = {
      requestId: call.requestId ?? newId(works.random),
      actor: call.actor,
      command: '?',
      target: null,
      ...(call.again ? { again: true } : {}),
      ...(call.body ? { body: call.body } : {}),
    }
    try {
      const parsed = call.actor.visitor && !call.actor.person ? strangers(call.input) : parse(call.input)
      facts.command = parsed.command.name
      facts.target = targetOf(parsed)
      if (parsed.reserved.as !== undefined) facts.actor = await actingFor(call.actor, parsed.reserved.as)
      mayCall(facts.actor, parsed.command)
      const reply = actAs(await carryOut(call, parsed, facts, waitingOf(parsed, waiting)), parsed.reserved.as)
      return parsed.reserved.post && !reply.error ? { ...reply, post: harmless(facts) } : reply
    } catch (error) {
      if (facts.command === '?') await asCalled(call, facts)
      return actAs(await refused(error, facts), facts.actor.by && facts.actor.person?.name)
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

  /** One command on one target. */
  async function one(parsed: Parsed, given: Given, facts: Facts, waiting: Waiting): Promise<Reply> {
    const { command, reserved } = parsed
    // Before anything is read: what was to be changed may be gone by now, because it was.
    const earlier =
      facts.again && command.changes
        ? await store.operations.ofRequest(facts.requestId, actingOf(facts.actor)?.id ?? null, facts.target)
        : undefined
    if (earlier) return outcome(earlier.id, waiting)
    const caller = facts.actor as Caller
    const args = facts.actor.person
      ? await readArgs(command, given, lookupFor({ store, commands, now: works.now }, caller, command.needs))
      : await readArgs(command, given, nobody)
    const context = { ...contextOf(caller, facts), ...(facts.body ? { body: facts.body } : {}) }
    // An admin's look at what is another's is written down like a change, and all that is typed on an SSH connection.
    const written =
      command.changes ||
      command.records ||
      facts.actor.by ||
      facts.actor.surface === 'ssh' ||
      isOthers(command, args, caller)
    if (reserved['dry-run']) {
      const reply = await dry(command, args, context, facts)
      if (written) await record({ ...facts, detail: dryRun }, 'done')
      return reply
    }
    const asked = await command.confirms?.(args as never, context)
    if (asked !== undefined && !reserved.yes) {
      const { question, adds } = typeof asked === 'string' ? { question: asked, adds: {} } : asked
      // Nobody is asked about what would be refused.
      await admitted(command, { ...args, ...adds }, context, facts)
      const confirm = confirming(parsed, given, adds)
      // What would go is listed with the question, so that nobody confirms blindly.
      const { fields, table } = command.preview ? await command.preview(args as never, context) : {}
      const extras = { actions: [{ label: 'Confirm', line: confirm.line, danger: true as const }], data: confirm }
      return {
        ...warn(question, { ...extras, ...(fields ? { fields } : {}), ...(table ? { table } : {}) }),
        error: 'conflict',
      }
    }
    const work = async () => {
      const result = await command.run(args as never, context)
      return command.private && !('begin' in result) ? { ...result, private: true as const } : result
    }
    const ahead = command.changes && !command.begins
    const result = await (ahead ? recorded(facts, work) : work())
    if ('begin' in result) return operate(result, facts, waiting)
    if (written && !ahead) await record(facts, 'done')
    return result
  }

  async function operate(result: Begin, facts: Facts, waiting: Waiting): Promise<Reply> {
    const asker = await askerFor(store, facts, result)
    const { keyed } = facts
    const settle = async (tx: Tables, operationId: string) => {
      if (keyed) await tx.calls.settle(keyed.ownerId, keyed.key, { operationId })
    }
    const id = await runner.begin(result.begin, result.input, asker, settle, facts.body)
    return outcome(id, waiting)
  }

  async function outcome(id: string, waiting: Waiting): Promise<Reply> {
    const ended = await runner.wait(id, waiting)
    if (!ended) throw new DcmError('not_found', 'There is no such operation.')
    if (ended.reply) return { ...ended.reply, operation: { id, state: ended.state } }
    const progress = ended.row.progress
    return info(`${ended.row.command} goes on${progress ? ` (${progress})` : ''}; outcome ${id} tells how it ends.`, {
      operation: { id, state: 'running', ...(progress ? { progress } : {}) },
    })
  }

  const identify = createIdentify({ store, log, now: works.now, random: works.random })
  const { attend } = createAttend({
    ...{ works, log, identify },
    ...{ holder: deps.holder ?? 'here', perMember: deps.perMember ?? 50 },
  })
  const door: Door = {
    commands,
    identify,
    login: createLogin({ works, log }),
    attend,
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
      return viewOf((await runner.wait(id, { wait: 0, ...waiting }))!)
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

/** Whether a command is about something that is not the caller's own. */
function isOthers(command: Command, args: Record<string, unknown>, { person }: Caller): boolean {
  return Object.entries(command.args).some(([name, { kind }]) => {
    const given = args[name] as { id: string; ownerId?: string } | undefined
    const thing = kind === 'place' ? (args[name] as Spot | null | undefined)?.container : given
    if (!thing || !['container', 'place', 'person'].includes(kind)) return false
    return kind === 'person' ? thing.id !== person.id : thing.ownerId !== person.id
  })
}

/** What someone unknown may name: nothing. */
const nobody = new Proxy({} as Parameters<typeof readArgs>[2], {
  get: (_, name) => () => {
    if (name === 'now') return new Date()
    throw new DcmError('unlinked', 'DCM does not know you yet: ask an admin to add you.')
  },
})
