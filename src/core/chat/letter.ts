import { newId, type Random } from '../model/id.ts'
import { confirmationOf } from '../reply/confirm.ts'
import type { Action, Reply } from '../reply/reply.ts'
import type { Seal } from '../secret/seal.ts'
import type { ButtonNew, OutboxNew } from '../store/outbox.ts'
import type { Tables } from '../store/store.ts'
import type { Address, Button } from './outlet.ts'

/** A letter as it is stored: the whole answer, of which a page at a time is shown. */
export type Stored = { reply: Reply; buttons: Button[]; instead?: boolean; open?: boolean; at?: number; of?: string }

/** Rows of a table that one message shows. */
export const pageRows = 10

const minute = 60_000
/** How long buttons may be pressed: those that destroy, all others, and those on cards for admins. */
export const lives = { danger: 10 * minute, usual: 24 * 60 * minute, card: 7 * 24 * 60 * minute }

export type LetterDeps = { seal: Seal; random: Random }

/** An id that nobody can guess: what stands on a button is all that is needed to ask for it. */
const buttonId = (random: Random) => newId(random) + newId(random)

/** What is asked before a button that destroys something does it. */
const question = (action: Action) => `Really? This runs: ${action.line.replace(/ --yes\b/, '')}`

/**
 * Puts an answer into the outbox's form and stores its buttons. What a confirmation asks is its asker's alone to answer,
 * once; other buttons may be pressed by whoever sees them, with their own rights.
 */
export async function composeLetter(
  tx: Tables,
  deps: LetterDeps,
  given: {
    outboxId: string | null
    reply: Reply
    asker: string | null
    instead?: boolean
    open?: boolean
    lives?: number
  },
): Promise<Stored> {
  const { outboxId, reply, asker } = given
  const asks = confirmationOf(reply) !== undefined
  const rows: { button: Button; row: ButtonNew }[] = (reply.actions ?? []).slice(0, 20).map((action) => {
    const danger = asks || action.danger === true
    const id = buttonId(deps.random)
    const button: Button = {
      id,
      label: action.label,
      ...(danger ? { danger: true as const } : {}),
      ...(danger && !asks ? { confirm: question(action) } : {}),
    }
    const row = {
      id,
      outboxId,
      asker,
      bound: danger,
      instead: asks,
      line: deps.seal.seal(action.line, `button/${id}`),
      lives: given.lives ?? (danger ? lives.danger : lives.usual),
    }
    return { button, row }
  })
  if (asks) {
    const id = buttonId(deps.random)
    rows.push({
      button: { id, label: 'Cancel' },
      row: { id, outboxId, asker, bound: true, instead: true, line: null, lives: lives.danger },
    })
  }
  await tx.outbox.addButtons(rows.map(({ row }) => row))
  const { actions: _, ...rest } = reply
  return {
    reply: rest,
    buttons: rows.map(({ button }) => button),
    ...(given.instead ? { instead: true } : {}),
    ...(given.open ? { open: true } : {}),
  }
}

/** What is stored of a letter; it opens for its own row alone. */
export const sealLetter = (seal: Seal, id: string, letter: Stored): string =>
  seal.seal(JSON.stringify(letter), `outbox/${id}`)
export const openLetter = (seal: Seal, id: string, sealed: string): Stored =>
  JSON.parse(seal.open(sealed, `outbox/${id}`)) as Stored

export const sealAddress = (seal: Seal, id: string, address: Address): string =>
  seal.seal(JSON.stringify(address), `address/${id}`)
export const openAddress = (seal: Seal, id: string, sealed: string): Address =>
  JSON.parse(seal.open(sealed, `address/${id}`)) as Address

/** Owes somebody a message that they did not ask for. @returns its id in the outbox */
export async function owe(
  tx: Tables,
  deps: LetterDeps,
  to: {
    platform: string
    address: Address
    reply: Reply
    visitor?: string
    asker?: string
    lives?: number
    open?: boolean
  },
): Promise<string> {
  const id = newId(deps.random)
  const { platform, address, reply, asker = null } = to
  const letter = await composeLetter(tx, deps, {
    outboxId: id,
    reply,
    asker,
    ...(to.lives ? { lives: to.lives } : {}),
    ...(to.open ? { open: true } : {}),
  })
  const row: OutboxNew = {
    id,
    platform,
    visitor: to.visitor ?? null,
    address: sealAddress(deps.seal, id, address),
    letter: sealLetter(deps.seal, id, letter),
    status: 'owed',
  }
  await tx.outbox.insert(row)
  return id
}

/** How many pages an answer has. */
export const pagesOf = (reply: Reply): number => Math.max(1, Math.ceil((reply.table?.rows.length ?? 0) / pageRows))

/** One page of an answer. */
export function pageOf(reply: Reply, at: number): Reply {
  if (!reply.table || pagesOf(reply) === 1) return reply
  const { head, rows } = reply.table
  return { ...reply, table: { head, rows: rows.slice(at * pageRows, (at + 1) * pageRows) } }
}
