import type { Given, Parsed } from '../command/parse.ts'
import { explain } from '../operation/explain.ts'
import { type Confirmation, confirmationOf } from '../reply/confirm.ts'
import { DcmError } from '../reply/error.ts'
import { refusal, type Reply, warn } from '../reply/reply.ts'
import type { Call, Waiting } from './door.ts'
import type { Facts } from './facts.ts'
import { gather } from './gather.ts'
import { confirming } from './line.ts'
import { eachArg } from './read.ts'
import { digestOf, type createRepeats, type Keyed } from './repeat.ts'

type Deps = {
  repeats: ReturnType<typeof createRepeats>
  /** One command on one target. */
  one(parsed: Parsed, given: Given, facts: Facts, waiting: Waiting): Promise<Reply>
  outcome(operationId: string, waiting: Waiting): Promise<Reply>
  refused(error: unknown, facts: Facts): Promise<Reply>
}

/** Carries out a call on each of its targets, and once where it comes with an Idempotency-Key. */
export function createFan({ repeats, one, outcome, refused }: Deps) {
  /** A call with an Idempotency-Key is carried out once; a repeat gets what the first was answered. */
  async function once(call: Call, parsed: Parsed, facts: Facts, waiting: Waiting): Promise<Reply> {
    const { person } = facts.actor
    const { changes, streams, begins } = parsed.command
    // What comes as a stream, or goes as one, is there once.
    const anew = call.body || (streams && !begins)
    if (call.idempotencyKey === undefined || !changes || anew || !person) return onEach(parsed, facts, waiting)
    const { yes, 'dry-run': dry, as } = parsed.reserved
    // With the token's limits: what a token was answered is not for one that may do less.
    const { scope } = facts.actor
    // An admin's keys are the admin's also when they act for a member, who may use the same ones.
    const keyed = {
      ownerId: (facts.actor.by ?? person).id,
      key: call.idempotencyKey,
      digest: digestOf([parsed.command.name, parsed.given, yes, dry, as, ...(scope ? [scope] : [])]),
    }
    return onceFor(keyed, waiting, () => onEach(parsed, { ...facts, keyed }, waiting))
  }

  /** Does the work under a key, unless that was done or is under way. */
  async function onceFor(keyed: Keyed, waiting: Waiting, work: () => Promise<Reply>): Promise<Reply> {
    const earlier = await repeats.claim(keyed, Math.min(waiting.wait ?? 30_000, 30_000))
    if ('reply' in earlier) return earlier.reply
    if ('operationId' in earlier) return outcome(earlier.operationId, waiting)
    try {
      const reply = await work()
      await repeats.settle(keyed, reply)
      return reply
    } catch (error) {
      await repeats.settle(keyed, refusal(explain(error)))
      throw error
    }
  }

  async function onEach(parsed: Parsed, facts: Facts, waiting: Waiting): Promise<Reply> {
    const each = eachArg(parsed.command)
    const targets = each ? parsed.given[each] : undefined
    if (!each || !Array.isArray(targets) || targets.length <= 1) return one(parsed, parsed.given, facts, waiting)
    if (targets.length > 100) throw new DcmError('usage', `${each} takes at most 100 values.`)
    const replies = await Promise.all(
      [...new Set(targets)].map(async (target) => {
        // Each target under a key of its own, so that a repeat finds what each of them has become.
        const { keyed, ...shared } = facts
        const own = keyed && { ...keyed, key: `${keyed.key}/${target}` }
        const mine = { ...shared, target, ...(own ? { keyed: own } : {}) }
        const work = () => one(parsed, { ...parsed.given, [each]: [target] }, mine, waiting)
        const reply = await (own ? onceFor(own, waiting, work) : work()).catch((error: unknown) => refused(error, mine))
        return { target, reply }
      }),
    )
    return together(parsed, each, replies)
  }

  return once
}

/** The targets' Replies as one; where some of them are only questions, one that asks for all of those. */
function together(parsed: Parsed, each: string, replies: { target: string; reply: Reply }[]): Reply {
  const questions = replies.flatMap(({ target, reply }) => {
    const question = confirmationOf(reply)
    return question ? [{ target, adds: question.adds }] : []
  })
  const asked = questions.map(({ target }) => target)
  const gathered = gather(replies, parsed.reserved['dry-run'])
  if (asked.length === 0) return gathered
  const adds = Object.assign({}, ...questions.map((one) => one.adds)) as Confirmation['adds']
  const confirm = confirming(parsed, { ...parsed.given, [each]: asked }, adds)
  const actions = [{ label: 'Confirm', line: confirm.line, danger: true as const }]
  if (asked.length < replies.length) return { ...gathered, actions }
  const question = `${parsed.command.name} ${asked.join(', ')}? The table says what it means.`
  return {
    ...warn(question, {
      actions,
      data: confirm,
      ...(gathered.table ? { table: gathered.table } : {}),
    }),
    error: 'conflict',
  }
}
