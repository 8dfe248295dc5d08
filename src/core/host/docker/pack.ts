import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { HostError } from '../fault.ts'

const mostBytes = 256 * 1024 * 1024
const mostEntries = 10_000

/**
 * Packs a folder as a build context. Owners and times are left out, so that the same files give the same image cache
 * hits on every machine. Links are packed as links; nothing outside the folder is read.
 */
export function packFolder(folder: string): Readable {
  const tar = pack()
  let [entries, bytes] = [0, 0]
  const put = async (inner: string): Promise<void> => {
    const path = join(folder, inner)
    const stat = await lstat(path)
    if (++entries > mostEntries || (bytes += stat.size) > mostBytes)
      throw new HostError('refused', 'The image folder is too large to be sent to the engine.')
    const header = { name: inner, mode: stat.mode & 0o777, mtime: new Date(0), uid: 0, gid: 0 }
    if (stat.isDirectory()) {
      if (inner !== '') tar.entry({ ...header, type: 'directory' })
      for (const name of (await readdir(path)).sort()) await put(inner === '' ? name : `${inner}/${name}`)
    } else if (stat.isSymbolicLink()) tar.entry({ ...header, type: 'symlink', linkname: await readlink(path) })
    else if (stat.isFile()) await pipeline(createReadStream(path), tar.entry({ ...header, size: stat.size }))
  }
  put('').then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  return Readable.from(tar)
}
