import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { openMemory } from '../setup/embedded.ts'

test('a long queue of statements on the embedded database leaves everything else its turn', async () => {
  const opened = await openMemory()
  let turns = 0
  let over = false
  const count = () => {
    turns++
    if (!over) setImmediate(count)
  }
  setImmediate(count)
  const ended: number[] = []
  try {
    await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const many = sql`select count(*) from generate_series(1, 20000)`
        if (n % 2) await opened.db.execute(many)
        else await opened.db.transaction(async (tx) => void (await tx.execute(many)))
        ended.push(n)
      }),
    )
    // Without a rest between them all would end within one round of the event loop.
    expect(turns).toBeGreaterThan(10)
    expect(new Set(ended).size).toBe(40)
    await expect(opened.db.execute(sql`select nothing from nowhere`)).rejects.toThrow()
    await opened.db.execute(sql`select 1`)
  } finally {
    over = true
    await opened.close()
  }
})
