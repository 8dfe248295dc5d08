import { newId, type Random } from '../model/id.ts'
import { formatDuration } from '../model/units.ts'
import { DcmError } from '../reply/error.ts'
import { hashToken } from '../secret/token.ts'
import type { CodeRow } from '../store/codes.ts'
import type { Store, Tables } from '../store/store.ts'

/** What a code is for: `invite` enrols the key that is presented with it, `link` ties a chat account to a member. */
export type CodeKind = 'invite' | 'link'

/** How long a code of each kind lives when nobody says, and at most; milliseconds. */
export const codeLives = {
  invite: { usual: 2 * 86_400_000, most: 14 * 86_400_000 },
  link: { usual: 600_000, most: 600_000 },
} as const satisfies Record<CodeKind, { usual: number; most: number }>

/** Wrong endings that one code takes, and wrong codes that one guesser may try within `window` milliseconds. */
const mostTries = 5
const window = 600_000

/** What a code stands for: plain JSON, told to whoever takes it. */
export type Purpose = { kind: CodeKind; subject: string; data: Record<string, unknown> }

/** Four characters to find it by and sixteen that prove it: 80 random bits, which are stored as a hash. */
const form = /^([0-9a-z]{4})-?([0-9a-z]{4})-?([0-9a-z]{4})-?([0-9a-z]{4})-?([0-9a-z]{4})$/

/** Reads a code as people retype it: case and dashes do not matter, nor do the letters that look like digits. */
function read(text: string): { id: string; secret: string } | undefined {
  if (text.length > 40) return undefined
  const match = form.exec(text.trim().toLowerCase().replace(/o/g, '0').replace(/[il]/g, '1'))
  return match ? { id: match[1]!, secret: match.slice(2).join('') } : undefined
}

function make(random: Random): { id: string; secret: string; code: string } {
  // `newId` begins with a letter; what comes after the first character is five random bits each.
  const chars = `${newId(random).slice(1)}${newId(random).slice(1)}`.slice(0, 20)
  const parts = chars.match(/.{4}/g)!
  return { id: parts[0]!, secret: parts.slice(1).join(''), code: parts.join('-') }
}

// One sentence whatever was wrong with it: unknown, used, too late, for something else, or tried too often.
const notGood = (kind: CodeKind) =>
  new DcmError(
    'unlinked',
    `That ${kind === 'invite' ? 'invitation' : 'link code'} is not good: it is wrong, used or too old; ask for a new one.`,
  )

/** Single-use codes that one side shows and another side gives back. Only a hash is stored, and each try counts. */
export function createCodes(deps: { store: Store; random: Random }) {
  const { store, random } = deps

  /** Finds the code and lets `use` act in the same transaction; a wrong one is counted, and that stays. */
  async function withCode<T>(
    kind: CodeKind,
    text: string,
    by: string,
    use: (tx: Tables, row: CodeRow) => Promise<T>,
  ): Promise<T> {
    const given = read(text)
    const found = await store.tx(async (tx): Promise<{ value: T } | undefined> => {
      if ((await tx.codes.guesses(by)) >= mostTries)
        throw new DcmError('limited', `Too many wrong codes from here; try again in ${formatDuration(window)}.`)
      const row = given && (await tx.codes.lock(given.id))
      const good = row && row.kind === kind && row.tries < mostTries && row.hash === hashToken(given.secret)
      if (good) return { value: await use(tx, row) }
      if (row) await tx.codes.miss(row.id)
      await tx.codes.guessed(by, window)
      return undefined
    })
    if (!found) throw notGood(kind)
    return found.value
  }

  return {
    /** Makes a code; earlier ones for the same subject are void. The code itself is told this once. */
    async make(
      purpose: Purpose & { ownerId?: string },
      lives: number = codeLives[purpose.kind].usual,
    ): Promise<{ code: string; expiresAt: Date }> {
      const { kind, subject, data, ownerId = null } = purpose
      const { most } = codeLives[kind]
      if (lives > most) throw new DcmError('usage', `A code of this kind lives at most ${formatDuration(most)}.`)
      return store.tx(async (tx) => {
        await tx.codes.removeFor(kind, subject)
        for (let tries = 0; tries < 20; tries++) {
          const { id, secret, code } = make(random)
          const row = await tx.codes.insert({ id, kind, subject, data, ownerId, hash: hashToken(secret) }, lives)
          if (row) return { code, expiresAt: row.expiresAt }
        }
        throw new DcmError('unavailable', 'No code could be made; try again in a minute.')
      })
    },
    /** What a code stands for, without using it up: to ask whether that is meant. `by` is who tries, for the count. @throws DcmError */
    look: (kind: CodeKind, code: string, by: string): Promise<Purpose> =>
      withCode(kind, code, by, async (_, row) => ({ kind: row.kind, subject: row.subject, data: row.data })),
    /** Uses a code up, together with whatever `use` stores; what `use` throws leaves the code as it was. @throws DcmError */
    take: <T>(
      kind: CodeKind,
      code: string,
      by: string,
      use: (tx: Tables, purpose: Purpose) => Promise<T>,
    ): Promise<T> =>
      withCode(kind, code, by, async (tx, row) => {
        await tx.codes.use(row.id)
        return use(tx, { kind: row.kind, subject: row.subject, data: row.data })
      }),
  }
}
