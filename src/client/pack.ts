import type { Stats } from 'node:fs'
import { constants } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Header, Pack } from 'tar-stream'
import type { Ignore } from './ignore.ts'

/** What is copied of a path: one thing under its name, or (`dir/.`) all that a folder holds, without a name. */
export type Packed = { name: string | undefined; tar: Readable }

type Writing = NodeJS.EventEmitter & { write(chunk: Buffer): boolean; end(): void }

/** One entry, and what it holds. */
function entryOf(pack: Pack, header: Partial<Header> & { name: string }): { writing: Writing; done: Promise<void> } {
  let writing: Writing | undefined
  const done = new Promise<void>((settled, reject) => {
    const ended = (error?: Error | null) => (error ? reject(error) : settled())
    writing = pack.entry(header, ended) as unknown as Writing
  })
  return { writing: writing!, done }
}

/**
 * Packs a path as a tar, as it is read: links as links, everything owned by root. What is neither file, folder nor link
 * is left out, and `left` is told; so is what `ignore` names by its path in the tar, untold.
 * @throws Error with a sentence when there is no such path
 */
export async function pack(path: string, left: (path: string) => void, ignore?: Ignore): Promise<Packed> {
  const { pack: begin } = await import('tar-stream')
  const contents = /(^|\/)\.\/?$/.test(path)
  const top = await lstat(path).catch((cause: unknown) => {
    throw new Error(`${path} cannot be copied: ${why(cause)}.`, { cause })
  })
  const name = contents ? undefined : basename(resolve(path))
  const tar = begin()

  async function file(from: string, to: string, seen: Stats): Promise<void> {
    // Neither a link that has come in its place meanwhile, nor a pipe that would never open.
    const handle = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const now = await handle.stat()
      if (!now.isFile()) return left(from)
      const { writing, done } = entryOf(tar, { ...common(to, seen), type: 'file', size: now.size })
      let size = 0
      if (now.size > 0)
        for await (const chunk of handle.createReadStream({
          end: now.size - 1,
          autoClose: false,
        }) as AsyncIterable<Buffer>) {
          size += chunk.length
          if (!writing.write(chunk)) await Promise.race([done, new Promise((go) => writing.once('drain', go))])
        }
      if (size < now.size) throw new Error(`${from} became shorter while it was read; copy it again.`)
      writing.end()
      await done
    } finally {
      await handle.close()
    }
  }

  async function add(from: string, to: string): Promise<void> {
    const seen = await lstat(from)
    const ignored = to !== '' && ignore?.file(to)
    if (ignored && !(seen.isDirectory() && !ignore?.within(to))) return
    if (seen.isFile()) return file(from, to, seen)
    if (seen.isSymbolicLink())
      return entryOf(tar, { ...common(to, seen), type: 'symlink', linkname: await readlink(from) }).done
    if (!seen.isDirectory()) return left(from)
    if (to !== '' && !ignored) await entryOf(tar, { ...common(to, seen), type: 'directory' }).done
    for (const child of (await readdir(from)).toSorted())
      await add(join(from, child), to === '' ? child : `${to}/${child}`)
  }

  if (contents && !top.isDirectory()) throw new Error(`${path} is no folder.`)
  add(path, name ?? '').then(
    () => tar.finalize(),
    (cause: Error) => tar.destroy('code' in cause ? new Error(`Reading failed: ${why(cause)}.`, { cause }) : cause),
  )
  return { name, tar: tar as unknown as Readable }
}

const common = (name: string, seen: Stats) => ({ name, mode: seen.mode & 0o7777, mtime: seen.mtime, uid: 0, gid: 0 })

/** A failure of the file system in words. */
export function why(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException
  const words: Record<string, string> = {
    ENOENT: 'it is not there',
    EACCES: 'it is not yours to read',
    EPERM: 'that is not permitted',
    EISDIR: 'it is a folder',
    ENOTDIR: 'what should be a folder on the way is none',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    ELOOP: 'it has become a link meanwhile',
  }
  const said = code === undefined ? message : (words[code] ?? code)
  return path === undefined ? said : `${path}: ${said}`
}
