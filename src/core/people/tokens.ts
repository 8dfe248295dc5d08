import type { Context } from '../command/context.ts'
import type { Token } from '../command/views.ts'
import { newId, type Random } from '../model/id.ts'
import { formatDuration } from '../model/units.ts'
import { DcmError } from '../reply/error.ts'
import { hashToken, makeToken } from '../secret/token.ts'
import { violated } from '../store/db.ts'
import type { Store } from '../store/store.ts'
import type { TokenRow } from '../store/tokens.ts'
import { lockPresent } from './present.ts'

const day = 86_400_000
const longestLife = 366 * day
const most = 50

const toToken = ({ id, label, commands, containers, expiresAt, lastUsedAt, createdAt }: TokenRow): Token => ({
  id,
  label,
  commands,
  containers,
  expiresAt,
  lastUsedAt,
  createdAt,
})

/** API tokens: the secret is told once and only its hash is kept. */
export function createTokens({ store, random }: { store: Store; random: Random }): Context['tokens'] {
  const add: Context['tokens']['add'] = async ({ ownerId, label, commands, containers, lives }) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(label))
      throw new DcmError('usage', 'A token label is 1 to 40 letters, digits, ".", "_" and "-", like ci or laptop.')
    if (lives > longestLife)
      throw new DcmError('usage', `A token lives at most ${formatDuration(longestLife)}; ask for less with --for.`, {
        try: `token new ${label} --for 366d`,
      })
    const secret = makeToken(random)
    const insert = () =>
      store.tx(async (tx) => {
        await lockPresent(tx, ownerId)
        if ((await tx.tokens.of(ownerId)).length >= most)
          throw new DcmError('limited', `A member has at most ${most} tokens; remove one first.`, { try: 'token ls' })
        return tx.tokens.insert(
          { id: newId(random), ownerId, hash: hashToken(secret), label, commands, containers },
          lives,
        )
      })
    const row = await insert().catch((error: unknown) => {
      if (violated(error) !== 'tokens_label') throw error
      throw new DcmError(
        'conflict',
        `There is a token called ${label} already; remove it first or choose another label.`,
        { cause: error, try: `token rm ${label}` },
      )
    })
    return { token: toToken(row), secret }
  }

  const remove: Context['tokens']['remove'] = (ownerId, which) =>
    store.tx(async (tx) => {
      const present = await tx.tokens.of(ownerId)
      const found = present.find((token) => token.id === which) ?? present.find((token) => token.label === which)
      if (!found) throw new DcmError('not_found', 'There is no such token; token ls shows them.', { try: 'token ls' })
      await tx.tokens.remove(ownerId, found.id)
      return toToken(found)
    })

  return { add, remove, list: async (ownerId) => (await store.tokens.of(ownerId)).map(toToken) }
}
