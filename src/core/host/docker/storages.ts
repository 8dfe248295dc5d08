import { randomBytes } from 'node:crypto'
import { chmod, open, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HostError, isFault } from '../fault.ts'
import type { Storage } from '../files.ts'
import { ensureFolder, fileFault, folderName, giveFolder, look, type Ownership, trueFolder } from './folder.ts'
import { attach, detach, format, grow, leastExt4, mounted } from './loop.ts'
import { must, run } from './program.ts'
import { alone } from './turn.ts'

/** What storages need of the world around them. */
export type StorageOptions = {
  root: string
  trash: string
  owner: () => Promise<Ownership>
  /** Whether the engine sees this folder as DCM does: a file system that is mounted now may be out of its sight. */
  visible: (path: string) => Promise<boolean>
  /** Removes what DCM itself may not, through a container; `folder` is a folder that holds only what has to go. */
  clear: (folder: string) => Promise<void>
  /** What `du -skx` says of this folder, where DCM itself may not look into all of it. */
  measure: (folder: string) => Promise<string>
  warn: (object: Record<string, unknown>, message: string) => void
}

const mebi = 1024 ** 2

/**
 * Members' storages. Where DCM is root and the machine can mount a file as a file system, each is a file system of its
 * own, which cannot grow past its size and lets neither devices nor setuid programs act on the host; else it is a
 * folder, and what it takes is measured.
 */
export function createStorages(options: StorageOptions) {
  const { root, trash } = options
  const paths = (ownerId: string) => {
    const at = join(root, folderName(ownerId))
    return {
      at,
      data: join(at, 'data'),
      volumes: join(at, 'volumes'),
      image: `${at}.img`,
      empty: `${at}.empty`,
      limit: join(at, 'limit'),
    }
  }
  let ability: Promise<{ hard: boolean; why: string }> | undefined
  const busy = new Map<string, Promise<unknown>>()

  /** One change at a time for one storage: two calls would format the same file. */
  const inTurn = async <T>(ownerId: string, act: () => Promise<T>): Promise<T> => {
    const before = busy.get(ownerId) ?? Promise.resolve()
    const turn = () => alone(paths(ownerId).at, act)
    const mine = before.then(turn, turn)
    busy.set(ownerId, mine)
    try {
      return await mine
    } finally {
      if (busy.get(ownerId) === mine) busy.delete(ownerId)
    }
  }

  /** Makes a small one, sees whether the engine sees it, writes past its end. */
  const prove = async (): Promise<{ hard: boolean; why: string }> => {
    if (process.getuid?.() !== 0)
      return { hard: false, why: 'DCM does not run as root, so storages are folders whose use is measured.' }
    const name = `proof-${randomBytes(6).toString('hex')}`
    return alone(join(trash, name), () => proveAs(name))
  }

  const proveAs = async (name: string): Promise<{ hard: boolean; why: string }> => {
    const [file, at] = [join(trash, `${name}.img`), join(trash, name)]
    try {
      await ensureFolder(at, 0o700)
      await format(file, leastExt4)
      await attach(file, at)
      await ensureFolder(join(at, 'data'), 0o755)
      if (!(await options.visible(join(at, 'data'))))
        return {
          hard: false,
          why: 'The engine does not see file systems that DCM mounts, so storages are folders whose use is measured.',
        }
      const handle = await open(join(at, 'data', 'full'), 'w')
      try {
        const piece = Buffer.alloc(mebi, 1)
        for (let written = 0; written < 2 * leastExt4; written += piece.length) await handle.write(piece)
        return { hard: false, why: 'A file system on a file let more be written than it holds.' }
      } catch (error) {
        if (fileFault(error, '').fault !== 'full') throw error
        return { hard: true, why: 'Each storage is a file system of its own; a write past its end was refused.' }
      } finally {
        await handle.close()
      }
    } catch (error) {
      // What is decided now holds for good, so an engine that is away decides nothing.
      if (isFault(error, 'down')) throw error
      return {
        hard: false,
        why: `Storages are folders whose use is measured: ${fileFault(error, 'Making a file system on a file').message}`,
      }
    } finally {
      await detach(at).catch(() => undefined)
      await rm(file, { force: true })
      await rm(at, { recursive: true, force: true })
    }
  }

  const able = () => {
    ability ??= prove().catch((error: unknown) => {
      ability = undefined
      throw error
    })
    return ability
  }

  /** Bytes below a folder, by `du`: it follows no link, stays on one file system and copes with any depth. */
  const measure = async (at: string): Promise<number> => {
    const ran = await run('du', ['-skx', at], { seconds: 120 })
    // What DCM may not enter would not be counted, and a member could hide any amount there.
    const text = ran.ok || process.getuid?.() === 0 ? ran.stdout : await options.measure(at)
    const kilobytes = Number.parseInt(text, 10)
    if (!Number.isFinite(kilobytes)) throw new HostError('broken', `Measuring the storage failed (${ran.code}).`)
    return kilobytes * 1024
  }

  const taken = async (at: string): Promise<number> => {
    const { blocks, bfree, bsize } = await statfs(at)
    return (blocks - bfree) * bsize
  }

  const storedNumber = async (file: string): Promise<number> => {
    const text = await readFile(file, 'utf8').catch(() => '')
    return /^\d{1,16}$/.test(text.trim()) ? Number(text) : 0
  }

  const read = async (ownerId: string): Promise<Storage | undefined> => {
    const { at, data, image, empty, limit } = paths(ownerId)
    const file = await look(image)
    if (file) {
      const on = await mounted(at)
      if (!on) return { path: data, hard: true, limit: Number(file.size), used: Number(file.blocks) * 512 }
      // What the file system itself takes is not the member's doing.
      const used = (await taken(at)) - (await storedNumber(empty))
      return { path: data, hard: true, limit: Number(file.size), used: Math.max(0, used) }
    }
    const folder = await look(data)
    if (!folder?.isDirectory()) return undefined
    return { path: data, hard: false, limit: await storedNumber(limit), used: await measure(at) }
  }

  const ensureHard = async (ownerId: string, size: number): Promise<void> => {
    const { at, data, image, empty } = paths(ownerId)
    if (!(await look(image))) {
      const fresh = `${image}.new`
      await rm(fresh, { force: true })
      await format(fresh, Math.max(leastExt4, size))
      await rename(fresh, image)
    }
    await ensureFolder(at, 0o700)
    if (!(await mounted(at))) await attach(image, at)
    if (!(await look(data))) await writeFile(empty, String(await taken(at)), { mode: 0o600 })
    await chmod(at, 0o700)
    await trueFolder(at)
    if (!(await look(data))) await ensureFolder(data, 0o755)
    await giveFolder(data, await options.owner())
    if (!(await grow(image, at, size)))
      options.warn(
        { owner: ownerId },
        'The storage could not grow while it is in use; it will when its containers are stopped.',
      )
  }

  const ensurePlain = async (ownerId: string, size: number): Promise<void> => {
    const { at, data, limit } = paths(ownerId)
    const owner = await options.owner()
    await ensureFolder(at, 0o700)
    await writeFile(limit, String(size), { mode: 0o600 })
    if (await look(data)) await trueFolder(data)
    // Not root: the container's root may be a number that nobody here is; the folder above lets only DCM in.
    else await ensureFolder(data, owner ? 0o755 : 0o777)
    await giveFolder(data, owner)
  }

  /** Deletes what members made: by the machine's `rm`, which follows no link and copes with any depth or name. */
  const discard = async (path: string): Promise<void> => {
    const ran = await run('rm', ['-rf', '--one-file-system', '--', path], { seconds: 3600 })
    if (ran.ok && !(await look(path))) return
    await options.clear(path)
    await must('rm', ['-rf', '--', path], { seconds: 600 })
  }

  return {
    ensure: (ownerId: string, limit: number): Promise<Storage> =>
      inTurn(ownerId, async () => {
        const { at, image, data } = paths(ownerId)
        try {
          if (!Number.isSafeInteger(limit) || limit <= 0)
            throw new HostError('refused', 'The storage limit is out of range.')
          const size = Math.ceil(limit / mebi) * mebi
          const there = await look(at)
          if (there) await trueFolder(at)
          const plain = there && !(await look(image)) && (await look(data)) !== undefined
          if (!plain && ((await look(image)) || (await able()).hard)) await ensureHard(ownerId, size)
          else await ensurePlain(ownerId, size)
          await trueFolder(data)
          return (await read(ownerId))!
        } catch (error) {
          throw fileFault(error, 'Making the storage')
        }
      }),

    ensureVolume: (ownerId: string, id: string): Promise<string> =>
      inTurn(ownerId, async () => {
        const { at, volumes } = paths(ownerId)
        const path = join(volumes, folderName(id))
        try {
          await trueFolder(at)
          await ensureFolder(volumes, 0o700)
          const who = await options.owner()
          if (await look(path)) await trueFolder(path)
          else {
            await ensureFolder(path, who ? 0o755 : 0o777)
            await giveFolder(path, who)
          }
          return path
        } catch (error) {
          throw fileFault(error, 'Making the volume')
        }
      }),

    removeVolume: (ownerId: string, id: string): Promise<void> =>
      inTurn(ownerId, async () => {
        const { at, image, volumes } = paths(ownerId)
        try {
          // Nobody has mounted it since the machine was started: what has to go is inside.
          if ((await look(image)) && !(await mounted(at))) await attach(image, at)
          if (!(await look(volumes))) return
          await trueFolder(volumes)
          const path = join(volumes, folderName(id))
          if (await look(path)) {
            const gone = join(volumes, `gone-${randomBytes(6).toString('hex')}`)
            try {
              await ensureFolder(gone, 0o700)
              await rename(path, join(gone, 'data'))
            } catch (error) {
              // Where nothing more can be made it goes from its place: only what is deleted makes room.
              if (fileFault(error, '').fault !== 'full') throw error
              await discard(path)
            }
          }
          // Also what an earlier try has left.
          for (const name of await readdir(volumes)) if (name.startsWith('gone-')) await discard(join(volumes, name))
        } catch (error) {
          throw fileFault(error, 'Removing the volume')
        }
      }),

    read: async (ownerId: string): Promise<Storage | undefined> => {
      try {
        return await read(ownerId)
      } catch (error) {
        throw fileFault(error, 'Looking at the storage')
      }
    },

    remove: (ownerId: string): Promise<void> =>
      inTurn(ownerId, async () => {
        const { at, image, empty } = paths(ownerId)
        try {
          if (await mounted(at)) await detach(at)
          await rm(image, { force: true })
          await rm(empty, { force: true })
          await rm(`${image}.new`, { force: true })
          if (!(await look(at))) return
          const gone = join(trash, `storage-${ownerId}-${randomBytes(6).toString('hex')}`)
          await rename(at, gone)
          await discard(gone)
        } catch (error) {
          throw fileFault(error, 'Removing the storage')
        }
      }),

    /** Deletes what a crash left in the trash. Resolves when it is known what that is; the deleting goes on. */
    async sweep(): Promise<void> {
      const names = await readdir(trash)
      const clean = async () => {
        // A proof that is under way is another process's, which holds its turn; a killed one's is free at once.
        for (const name of names)
          await alone(join(trash, name.replace(/\.img$/, '')), async () => {
            await detach(join(trash, name))
            await discard(join(trash, name))
          })
      }
      clean().catch((error: unknown) =>
        options.warn({ error }, 'What an earlier removal left behind could not be deleted.'),
      )
    },

    async list(): Promise<string[]> {
      const names = (await readdir(root)).filter((name) => !name.startsWith('.') && !name.endsWith('.new'))
      return [...new Set(names.map((name) => name.replace(/\.(img|empty)$/, '')))]
    },

    prove: async () => {
      ability = undefined
      return able()
    },
  }
}
