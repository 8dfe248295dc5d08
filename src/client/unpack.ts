import { constants } from 'node:fs'
import { chmod, link, lstat, mkdir, mkdtemp, open, readdir, rename, rm, stat, symlink, utimes } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Header } from 'tar-stream'
import { why } from './pack.ts'

/** What `unpack` has not made, each by its name: links that lead out of the copy, devices, pipes. */
export type Left = string[]

type Goal = { folder: string; final: string | undefined }

/**
 * Unpacks what came out of a container, which its owner need not trust: into a folder of its own, put in place only
 * once all of it is there, so that nothing that was there is written over and what is cut short leaves nothing. `name` is
 * the one thing that the tar may hold; undefined: all in it goes into the folder `target`.
 * @throws Error with a sentence: what is in the way, or an entry that no honest tar has
 */
export async function unpack(
  source: Readable,
  target: string,
  name: string | undefined,
): Promise<{ at: string; left: Left }> {
  const goal = await goalOf(target, name)
  const made = await mkdtemp(join(goal.folder, '.dcm-')).catch((cause: unknown) => {
    throw new Error(`Nothing can be written there: ${why(cause)}.`, { cause })
  })
  try {
    const left = await extract(source, made, name)
    return { at: await place(made, goal, target, name), left }
  } catch (error) {
    source.destroy()
    if (!(error instanceof Error) || !('code' in error)) throw error
    const { code, syscall } = error as NodeJS.ErrnoException
    throw new Error(
      syscall === 'read' || code === 'ECONNRESET' || code?.startsWith('ERR_')
        ? 'The copy was cut short, and nothing of it was kept; copy it again.'
        : `Writing failed, and nothing was kept: ${why(error)}.`,
      { cause: error },
    )
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

async function goalOf(target: string, name: string | undefined): Promise<Goal> {
  const there = await stat(target).catch(() => undefined)
  if (there?.isDirectory()) {
    const folder = resolve(target)
    if (name === undefined) return { folder, final: undefined }
    return { folder, final: await free(join(folder, name)) }
  }
  if (there || target.endsWith('/'))
    throw new Error(`${target} is ${there ? 'already there' : 'not there'}; give a folder, or a new name.`)
  const final = await free(resolve(target))
  const parent = await stat(dirname(final)).catch(() => undefined)
  if (!parent?.isDirectory()) throw new Error(`There is no folder ${dirname(final)}.`)
  return { folder: dirname(final), final }
}

/** @throws Error when something is there already, be it a link to nowhere */
async function free(path: string): Promise<string> {
  if (await lstat(path).catch(() => undefined)) throw new Error(`${path} is already there; choose another name.`)
  return path
}

async function place(made: string, { folder, final }: Goal, target: string, name: string | undefined): Promise<string> {
  const tops = await readdir(made)
  if (final === undefined) {
    for (const top of tops) await free(join(folder, top))
    for (const top of tops) await rename(join(made, top), join(folder, top))
    return target
  }
  if (name === undefined) {
    const inner = await mkdtemp(join(folder, '.dcm-'))
    for (const top of tops) await rename(join(made, top), join(inner, top))
    await chmod(inner, 0o777 & ~process.umask())
    await rename(inner, await free(final))
    return final
  }
  if (!tops.includes(name)) throw new Error(`What came does not hold ${name}; nothing was written.`)
  await rename(join(made, name), await free(final))
  return final
}

/** A sentence for the caller. */
class Told extends Error {
  override readonly name = 'Told'
}

const bad = (what: string) => new Told(`${what}; that is no honest tar, and nothing was written.`)

/** A name in a tar as the parts of a path below the folder; none: the folder itself. @throws Error */
function partsOf(name: string): string[] {
  if (name.startsWith('/') || name.includes('\0')) throw bad(`It has an entry ${JSON.stringify(name.slice(0, 100))}`)
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw bad(`It has an entry ${JSON.stringify(name.slice(0, 100))}`)
  return parts
}

/**
 * Whether a link stays inside what is copied, `top` parts below the tar's own root. ".." only leads it, and no further than the folder: after any other part the way could
 * go through another link, and then up from there.
 */
function staysInside(parts: readonly string[], top: number, to: string): boolean {
  if (to === '' || to.startsWith('/') || to.includes('\0')) return false
  const way = to.split('/').filter((part) => part !== '' && part !== '.')
  const ups = way.findIndex((part) => part !== '..')
  const leading = ups < 0 ? way.length : ups
  return leading <= parts.length - 1 - top && !way.slice(leading).includes('..')
}

async function extract(source: Readable, root: string, name: string | undefined): Promise<Left> {
  const { extract: begin } = await import('tar-stream')
  const reading = begin()
  const feeding = pipeline(source, reading as unknown as Writable)
  feeding.catch(() => undefined)
  const left: Left = []
  const folders = new Map<string, Header | undefined>([['', undefined]])
  const files = new Set<string>()
  const mask = 0o777 & ~process.umask()

  /** Makes the folders above, none of which is anything but a folder that was made here. */
  async function above(parts: readonly string[]): Promise<void> {
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join('/')
      if (folders.has(path)) continue
      await make(path, () => mkdir(join(root, path), 0o700))
      folders.set(path, undefined)
    }
  }

  async function make<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw bad(`It has ${JSON.stringify(path.slice(0, 100))} twice`)
    }
  }

  try {
    for await (const entry of reading) {
      const { header } = entry
      const parts = partsOf(header.name)
      const path = parts.join('/')
      if (name !== undefined && parts[0] !== name)
        throw bad(`It has ${JSON.stringify(header.name.slice(0, 100))} beside ${name}`)
      if (parts.length > 0) await above(parts)
      const to = join(root, path)
      if (header.type === 'directory') {
        if (!folders.has(path)) await make(path, () => mkdir(to, 0o700))
        folders.set(path, header)
      } else if (header.type === 'file' || header.type === 'contiguous-file') {
        const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
        const handle = await make(path, () => open(to, flags, 0o600))
        await pipeline(Readable.from(entry as AsyncIterable<Buffer>), handle.createWriteStream())
        await chmod(to, (header.mode ?? 0o644) & mask)
        if (header.mtime) await utimes(to, header.mtime, header.mtime)
        files.add(path)
      } else if (header.type === 'symlink' && staysInside(parts, name === undefined ? 0 : 1, header.linkname ?? '')) {
        await make(path, () => symlink(header.linkname!, to))
      } else if (header.type === 'link' && files.has(partsOf(header.linkname ?? '').join('/'))) {
        await make(path, () => link(join(root, partsOf(header.linkname!).join('/')), to))
        files.add(path)
      } else left.push(header.name)
      entry.resume()
    }
    await feeding
  } catch (error) {
    reading.destroy()
    // What tar-stream says of a tar that ends in the middle has no words for a reader.
    throw error instanceof Told || 'code' in (error as object)
      ? error
      : Object.assign(new Error('cut short', { cause: error }), { code: 'ECONNRESET' })
  }
  for (const [path, header] of folders)
    if (path !== '') await chmod(join(root, path), ((header?.mode ?? 0o755) & mask) | 0o700)
  return left
}

/** What a path in a container is called in the tar that comes of it; undefined: the folder's own contents. */
export function nameOf(path: string): string | undefined {
  const name = basename(path.replace(/\/+$/, ''))
  return name === '' || name === '.' || name === '..' ? undefined : name
}
