import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Opened, openEmbedded } from '../../src/core/store/open.ts'

const root = join(import.meta.dirname, '../..')

/** What the copy is made of: it is made anew when one of them changes. */
function kept(): string {
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', ...globSync('drizzle/**/*.{sql,json}', { cwd: root }).sort()])
    hash.update(readFileSync(join(root, file)))
  return join(root, 'node_modules/.cache/dcm', `memory-${hash.digest('hex').slice(0, 16)}.tar`)
}

/**
 * An embedded database in memory with the schema of today. It is copied from one that was made once, since to make and
 * migrate one takes seconds of a processor, and most test files want their own.
 */
export async function openMemory(): Promise<Opened> {
  const file = kept()
  if (!existsSync(file)) {
    const made = await openEmbedded(undefined)
    const copy = Buffer.from(await (await made.dump!()).arrayBuffer())
    await made.close()
    mkdirSync(join(file, '..'), { recursive: true })
    // Several test files may come at once: whoever is last is right as well.
    writeFileSync(`${file}.${process.pid}`, copy)
    renameSync(`${file}.${process.pid}`, file)
  }
  return openEmbedded(undefined, new Blob([readFileSync(file)]))
}
