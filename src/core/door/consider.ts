import type { Context } from '../command/context.ts'
import type { Caller, Command } from '../command/define.ts'
import { parseWords } from '../command/parse.ts'
import { splitWords, untypeset } from '../command/words.ts'
import { calledBy, type Container } from '../model/container.ts'
import type { Actor } from '../model/person.ts'
import { explain } from '../operation/explain.ts'
import type { Runner } from '../operation/runner.ts'
import { mayCall } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import { info, type Reply } from '../reply/reply.ts'
import type { Store } from '../store/store.ts'
import type { Facts } from './facts.ts'
import { targetOf } from './line.ts'
import { lookupFor } from './lookup.ts'
import { eachArg, readArgs } from './read.ts'
import { askerFor } from './record.ts'

/** What would become of a call, as far as admission, without doing it: for `--dry-run` and for `can`. */
export function createConsider(deps: {
  store: Store
  commands: readonly Command[]
  runner: Runner
  now(): Date
  contextFor(caller: Caller): Omit<Context, 'consider'>
  actingFor(actor: Actor, name: string): Promise<Actor>
}) {
  const { store, commands, runner } = deps

  /** What would happen, as far as can be told without doing it. */
  async function dry(command: Command, args: Record<string, unknown>, context: Context, facts: Facts): Promise<Reply> {
    if (command.preview) return command.preview(args as never, context)
    const what = `${command.name}${facts.target ? ` ${facts.target}` : ''}`
    if (!command.begins) return info(`${what} is understood, and all that it names is there; nothing was done.`)
    await admitted(command, args, context, facts)
    return info(`${what} would be accepted now; nothing was done.`)
  }

  /** Goes as far as admission, where it has one; nothing is done. @throws whatever would be refused */
  async function admitted(
    command: Command,
    args: Record<string, unknown>,
    context: Context,
    facts: Facts,
  ): Promise<void> {
    if (!command.begins) return
    const result = await command.run(args as never, context)
    if (!('begin' in result)) return
    await runner.consider(result.begin, result.input, await askerFor(store, facts, result))
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
          : await deps.actingFor(facts.actor, parsed.reserved.as)
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
          lookupFor({ store, commands, now: deps.now }, caller, command.needs),
        )
        rule = 'quota, grants and the state of things'
        await dry(command, args, contextOf(caller, facts), {
          ...facts,
          actor,
          command: command.name,
          target: targetOf(parsed),
        })
        rule = decided(command, args, caller)
      }
      return { command: command.name, rule, refusal: null }
    } catch (error) {
      const refusal = explain(error)
      if (refusal.code === 'internal' || refusal.code === 'unavailable') throw error
      return { command: command?.name ?? null, rule: refusal.code === 'usage' ? 'how it is written' : rule, refusal }
    }
  }

  const contextOf = (caller: Caller, facts: Facts): Context => ({
    ...deps.contextFor(caller),
    consider: (line) => consider(line, facts),
  })

  return { dry, admitted, contextOf }
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
