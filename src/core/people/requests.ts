import type { Context } from '../command/context.ts'
import type { RequestView } from '../command/views.ts'
import { newId, type Random } from '../model/id.ts'
import { formatGrant, parseGrant } from '../model/grant.ts'
import type { Person } from '../model/person.ts'
import { formatTime } from '../model/time.ts'
import { formatVisitor, type Visitor } from '../model/visitor.ts'
import { DcmError } from '../reply/error.ts'
import { info, type Reply } from '../reply/reply.ts'
import { printable } from '../reply/text.ts'
import type { RequestRow } from '../store/requests.ts'
import type { Store, Tables } from '../store/store.ts'
import { giveIn } from './grants.ts'
import { freeName, linkIn } from './links.ts'
import { notice } from './notices.ts'

/** Open requests that one asker may have. */
const most = 10

/** What somebody asks for who is not a member yet. */
export const membership = 'membership'

/** Where admins see requests, and people hear who are in no other place: the chats. */
export type Cards = {
  /** Shows a request of `who` to the admins, as far as they can be reached. @returns ids of what shows it */
  show(tx: Tables, row: RequestRow, who: string): Promise<string[]>
  /** What shows it says from now on who decided, how and when. */
  settle(
    tx: Tables,
    row: RequestRow,
    who: string,
    decision: { state: 'approved' | 'denied'; by: Person; now: Date },
  ): Promise<void>
  /** Tells an account something, `asker` being whose it is by now. */
  tell(tx: Tables, visitor: Visitor, reply: Reply, asker?: string): Promise<void>
}

export type RequestDeps = { store: Store; random: Random; cards: Cards; now(): Date }

/** What admins ask of members' wishes and what members ask of admins. */
export function createRequests(deps: RequestDeps): Context['requests'] {
  const { store, random } = deps

  const whoOf = async (tx: Tables, row: Pick<RequestRow, 'ownerId' | 'visitor'>) =>
    row.ownerId
      ? ((await tx.people.byId(row.ownerId))?.name ?? 'somebody who left')
      : printable(row.visitor?.label || row.visitor?.user || 'somebody')

  const view = async (tx: Tables, row: RequestRow): Promise<RequestView> => ({
    id: row.id,
    who: await whoOf(tx, row),
    thing: row.thing,
    lives: row.lives,
    why: row.why,
    state: row.state,
    decidedBy: row.decidedBy,
    decidedAt: row.decidedAt,
    createdAt: row.createdAt,
  })

  const insert = (
    row: Pick<RequestRow, 'ownerId' | 'thing' | 'lives' | 'why' | 'visitor'>,
    same: (open: RequestRow) => boolean,
  ) =>
    store.tx(async (tx) => {
      if (row.ownerId) await tx.people.lockUsage(row.ownerId)
      const mine = (await tx.requests.open()).filter(same)
      const twin = mine.find((one) => one.thing === row.thing)
      if (twin)
        throw new DcmError('conflict', `You have asked for that already, as request ${twin.id}; an admin decides.`, {
          try: 'requests',
        })
      if (mine.length >= most)
        throw new DcmError('limited', `You have ${most} open requests; wait until they are decided.`, {
          try: 'requests',
        })
      const stored = await tx.requests.insert({ ...row, id: newId(random) })
      const cards = await deps.cards.show(tx, stored, await whoOf(tx, stored))
      await tx.requests.update(stored.id, { cards })
      return { ...(await view(tx, stored)), told: cards.length > 0 }
    })

  /** The asker hears of it, and every card says who decided and when. */
  async function decided(
    tx: Tables,
    row: RequestRow,
    by: Person,
    state: 'approved' | 'denied',
    text: string,
  ): Promise<RequestView> {
    const now = deps.now()
    await tx.requests.update(row.id, { state, decidedBy: by.name, decidedAt: now })
    await deps.cards.settle(tx, row, await whoOf(tx, row), { state, by, now })
    if (row.ownerId) await notice(tx, random, { ownerId: row.ownerId, kind: 'request', key: `request:${row.id}`, text })
    return view(tx, { ...row, state, decidedBy: by.name, decidedAt: now })
  }

  /** @throws DcmError when it cannot be decided by this admin */
  async function openFor(tx: Tables, id: string, by: Person): Promise<RequestRow> {
    const row = await tx.requests.lock(id)
    if (!row) throw new DcmError('not_found', `There is no request ${id}.`, { try: 'requests' })
    if (row.state !== 'open')
      throw new DcmError(
        'conflict',
        `That was ${row.state} already, by ${row.decidedBy}, ${formatTime(row.decidedAt!)}.`,
      )
    if (row.ownerId === by.id)
      throw new DcmError('denied', 'Another admin has to decide on what you asked for yourself.')
    return row
  }

  return {
    ask: (person, thing, forMs, why) =>
      insert(
        { ownerId: person.id, thing, lives: forMs ?? null, why, visitor: null },
        (open) => open.ownerId === person.id,
      ),
    join: (visitor: Visitor, why) =>
      insert(
        { ownerId: null, thing: membership, lives: null, why, visitor },
        (open) => open.visitor !== null && formatVisitor(open.visitor) === formatVisitor(visitor),
      ),
    open: async () => Promise.all((await store.requests.open()).map((row) => view(store, row))),
    of: async (person) => Promise.all((await store.requests.of(person.id)).map((row) => view(store, row))),
    approve: (id, by, forMs) =>
      store.tx(async (tx) => {
        const row = await openFor(tx, id, by)
        if (row.thing === membership) {
          const visitor = row.visitor!
          if (await tx.identities.person(visitor))
            throw new DcmError('conflict', 'That account is linked to a member already; deny the request.')
          const person = await tx.people.insert({
            id: newId(random),
            name: await freeName(tx, visitor.label),
            role: 'member',
          })
          await linkIn(tx, person, visitor)
          const text = `You are a member now, called ${person.name}; add your SSH key, then create a container.`
          const reply = info(text, { actions: [{ label: 'What can I do?', line: 'help' }] })
          await deps.cards.tell(tx, visitor, reply, person.id)
          return decided(tx, row, by, 'approved', text)
        }
        const grant = parseGrant(row.thing)
        const person = row.ownerId ? await tx.people.byId(row.ownerId) : undefined
        if (!grant || !person) throw new DcmError('conflict', 'That request cannot be granted any more; deny it.')
        const time = forMs ?? row.lives ?? undefined
        const given = await giveIn(tx, person, grant, time, by)
        const until = given.expiresAt ? `until ${formatTime(given.expiresAt)}` : 'until it is revoked'
        return decided(tx, row, by, 'approved', `${by.name} granted you ${formatGrant(grant)}, ${until}.`)
      }),
    deny: (id, by) =>
      store.tx(async (tx) => {
        const row = await openFor(tx, id, by)
        if (row.visitor) {
          const reply = info('An admin has decided against your request to become a member.')
          await deps.cards.tell(tx, row.visitor, reply)
        }
        return decided(tx, row, by, 'denied', `${by.name} has denied your request for ${row.thing}.`)
      }),
  }
}
