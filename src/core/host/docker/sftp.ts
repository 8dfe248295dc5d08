import { randomBytes } from 'node:crypto'
import { chmod, copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ensureFolder } from './folder.ts'
import { run } from './program.ts'

/** Where distributions keep OpenSSH's sftp-server. */
const places = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
]

/** The files of a program: itself, its loader and its libraries, by the names that it knows them under; ldd(1). */
async function files(program: string): Promise<Map<string, string> | undefined> {
  const { ok, stdout } = await run('ldd', [program])
  if (!ok) return undefined
  const found = new Map([['sftp-server', program]])
  for (const line of stdout.split('\n')) {
    const match = /^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line)
    if (match) found.set(/\/ld-[^/]*$/.test(match[1]!) ? 'ld.so' : basename(match[1]!), match[1]!)
  }
  return found.has('ld.so') ? found : undefined
}

/**
 * This machine's sftp-server with all that it needs to run in any image, for images that bring none: copied once per
 * process into `store`, and linked from there into the read-only folders of containers.
 */
export function createSftp(store: string) {
  let made: Promise<string[]> | undefined

  async function make(): Promise<string[]> {
    const fresh = `${store}.${randomBytes(6).toString('hex')}`
    // What a crash left half made.
    for (const name of await readdir(dirname(store)))
      if (name.startsWith(`${basename(store)}.`)) await rm(join(dirname(store), name), { recursive: true, force: true })
    for (const program of places) {
      const set = await files(program)
      if (!set) continue
      await mkdir(fresh, { mode: 0o755 })
      for (const [name, from] of set) {
        await copyFile(from, join(fresh, name))
        await chmod(join(fresh, name), 0o755)
      }
      await rm(store, { recursive: true, force: true })
      await rename(fresh, store)
      return [...set.keys()]
    }
    return []
  }

  return {
    /** Puts it into a container's folder; nothing where this machine has none. */
    async place(folder: string): Promise<void> {
      made ??= make().catch((error: unknown) => {
        made = undefined
        throw error
      })
      const names = await made
      if (names.length === 0) return
      await ensureFolder(folder, 0o755)
      for (const name of names) {
        const fresh = join(folder, `.${name}.${randomBytes(6).toString('hex')}`)
        await link(join(store, name), fresh)
        // Two names of one file: rename(2) leaves both then.
        await rename(fresh, join(folder, name))
        await rm(fresh, { force: true })
      }
    },
  }
}
