import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { type Opened, openEmbedded } from '../../src/core/store/open.ts'

const root = join(import.meta.dirname, '../..')

/** What the copy is made of: it is made anew when one of them changes. */
function kept(as: string): string {
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', ...globSync('drizzle/**/*.{sql,json}', { cwd: root }).sort()])
    hash.update(readFileSync(join(root, file)))
  return join(root, 'node_modules/.cache/dcm', `${hash.digest('hex').slice(0, 16)}-${as}`)
}

/**
 * An embedded database in memory with the schema of today. It is copied from one that was made once, since to make and
 * migrate one takes seconds of a processor, and most test files want their own.
 */
export async function openMemory(): Promise<Opened> {
  const file = kept('memory.tar')
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

/** Puts an embedded database with the schema of today into a data folder that has none. */
export async function placeDatabase(dataDir: string): Promise<void> {
  const made = kept('database')
  if (!existsSync(made)) {
    const folder = `${made}.${process.pid}`
    await (await openEmbedded(folder)).close()
    // Whoever was there first has made the same.
    try {
      renameSync(folder, made)
    } catch {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await cp(made, join(dataDir, 'database'), { recursive: true })
}
