import type { Context } from '../command/context.ts'
import type { Caller, Command } from '../command/define.ts'
import { wordFor } from '../command/help.ts'
import type { Delivery, Hook } from '../model/hook.ts'
import { newId } from '../model/id.ts'
import { formatDuration } from '../model/units.ts'
import type { Works } from '../operation/define.ts'
import { lockPresent } from '../people/present.ts'
import { mayCall } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import type { DeliveryRow, HookRow } from '../store/hooks.ts'
import { violated } from '../store/db.ts'
import { checkCondition } from './condition.ts'
import { readTemplate } from './line.ts'
import { makeSecret, sealedFor } from './secret.ts'

const day = 86_400_000
const longestLife = 366 * day
const longestOverlap = 7 * day
const most = 50
const name = /^[a-z][a-z0-9-]{0,39}$/

const toHook = (row: HookRow): Hook => ({
  ...{ id: row.id, ownerId: row.ownerId, name: row.name, line: row.line, verify: row.verify, events: row.events },
  ...{
    conditions: row.conditions,
    expiresAt: row.expiresAt,
    previousUntil: row.previousUntil,
    createdAt: row.createdAt,
  },
  ...{ failures: row.failures, failedAt: row.failedAt },
})

const toDelivery = (row: DeliveryRow): Delivery => ({
  ...{ id: row.id, hookId: row.hookId, key: row.key, event: row.event, places: row.places, state: row.state },
  ...{ text: row.text, code: row.code, operationId: row.operationId, address: row.address },
  ...{ createdAt: row.createdAt, endedAt: row.endedAt },
})

/** What members do with their webhooks. */
export function createHookContext(works: Works, commands: readonly Command[]): Context['hooks'] {
  const { store, seal, random } = works

  async function find(ownerId: string, which: string): Promise<HookRow> {
    const found = (await store.hooks.of(ownerId)).find((hook) => hook.name === which)
    if (found) return found
    throw new DcmError('not_found', `You have no hook called ${which.slice(0, 60)}.`, { try: 'hook ls' })
  }

  /** @throws DcmError when the line could never run, or not as this member's hook */
  function check(caller: Caller, line: string) {
    const template = readTemplate(commands, line)
    const { command, args } = template
    mayCall({ ...caller, surface: 'hook', scope: { commands: [command.name], containers: null } }, command)
    if (!command.changes)
      throw new DcmError('usage', `${command.name} changes nothing, so there is nothing for a hook to do with it.`)
    for (const [key, arg] of Object.entries(command.args)) {
      const value = args[key]
      if (arg.of && typeof value === 'string' && !value.includes('{') && !arg.of.includes(value))
        throw new DcmError('usage', `"${value.slice(0, 40)}" is not right for ${key}: give ${wordFor(key, arg)}.`)
    }
    // Nobody is there to be asked.
    if (command.confirms && args['yes'] !== true && args['force'] !== true)
      throw new DcmError(
        'usage',
        `${command.name} asks before it acts, and a hook has nobody to ask: add --yes to the line.`,
      )
    return template
  }

  return {
    async add(caller, { name: label, line, verify, events, conditions, lives }) {
      if (!name.test(label))
        throw new DcmError('usage', 'A hook name is 1 to 40 of a-z, 0-9 and "-", and starts with a letter.')
      if (lives > longestLife)
        throw new DcmError('usage', `A hook lives at most ${formatDuration(longestLife)}; ask for less with --for.`)
      if (conditions.length > 10 || events.length > 20)
        throw new DcmError('usage', 'A hook takes at most 10 conditions and 20 events.')
      const wrong = events.find((event) => !/^[\w.:-]{1,80}$/.test(event))
      if (wrong !== undefined)
        throw new DcmError(
          'usage',
          `"${wrong.slice(0, 40)}" is no event; an event is a word such as push or workflow_run.`,
        )
      const { places } = check(caller, line)
      const id = newId(random)
      const secret = makeSecret(random)
      const ownerId = caller.person.id
      const row = await store
        .tx(async (tx) => {
          await lockPresent(tx, ownerId)
          if ((await tx.hooks.of(ownerId)).length >= most)
            throw new DcmError('limited', `A member has at most ${most} hooks; remove one first.`, { try: 'hook ls' })
          const conditionsRead = conditions.map(checkCondition)
          return tx.hooks.insert(
            {
              id,
              ownerId,
              name: label,
              line,
              verify,
              events,
              conditions: conditionsRead,
              sealed: seal.seal(secret, sealedFor(id)),
            },
            lives,
          )
        })
        .catch((error: unknown) => {
          if (violated(error) !== 'hooks_name') throw error
          throw new DcmError(
            'conflict',
            `You have a hook called ${label} already; remove it first or choose another name.`,
            { cause: error, try: `hook show ${label}` },
          )
        })
      return { hook: toHook(row), secret, places }
    },
    list: async (ownerId) => (await store.hooks.of(ownerId)).map(toHook),
    find: async (ownerId, which) => toHook(await find(ownerId, which)),
    async rotate(ownerId, which, overlap) {
      if (overlap > longestOverlap)
        throw new DcmError('usage', `Two secrets overlap at most ${formatDuration(longestOverlap)}.`)
      const { id } = await find(ownerId, which)
      const secret = makeSecret(random)
      const row = await store.hooks.rotate(id, seal.seal(secret, sealedFor(id)), overlap)
      if (!row) throw new DcmError('conflict', `The hook ${which} was removed meanwhile.`)
      return { hook: toHook(row), secret }
    },
    async remove(ownerId, which) {
      const found = await find(ownerId, which)
      await store.hooks.remove(found.id)
      return toHook(found)
    },
    log: async (hook, limit) => (await store.deliveries.of(hook.id, limit)).map(toDelivery),
  }
}
