import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HostError } from '../fault.ts'

/** Whose the files in a container are: the container's root, where DCM may give them away. */
export type Ownership = { uid: number; gid: number } | undefined

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** Turns a failure of the file system into a HostError that names no path. */
export function fileFault(error: unknown, what: string): HostError {
  if (error instanceof HostError) return error
  const code = codeOf(error)
  const fault = code === 'ENOSPC' || code === 'EDQUOT' ? 'full' : code === 'ENOENT' ? 'gone' : 'broken'
  return new HostError(fault, `${what} failed (${code || 'unknown'}).`, { cause: error })
}

/** An id that names a folder. @throws HostError `refused` */
export function folderName(id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(id)) throw new HostError('refused', 'The id cannot name a folder.')
  return id
}

/** @returns undefined when nothing is there; links are not followed. */
export async function look(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Makes a folder that is DCM's alone. @throws HostError `refused` when something else is at its place */
export async function ensureFolder(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode })
  await trueFolder(path)
  await chmod(path, mode)
}

/**
 * @throws HostError `refused` unless the path is a folder, and neither it nor any folder above it is a link: a source of
 * a mount that somebody moved away and replaced would show a container what is not its own.
 */
export async function trueFolder(path: string): Promise<void> {
  const stat = await look(path)
  if (!stat) throw new HostError('refused', 'A folder that the container needs is missing on the host.')
  if (stat.isSymbolicLink() || (await realpath(path)) !== path)
    throw new HostError('refused', 'A folder that the container needs was replaced by a link on the host.')
  if (!stat.isDirectory())
    throw new HostError('refused', 'A folder that the container needs is something else on the host.')
}

/**
 * Writes a file of a mounted folder: to a temporary one in the same folder, then renamed over it, so that whoever reads
 * sees the old content or the new, and a container that mounts the folder sees the new at once.
 */
export async function replaceFile(
  folder: string,
  name: string,
  content: string | Buffer,
  mode: number,
  owner: Ownership,
): Promise<void> {
  const fresh = join(folder, `.${name}.${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(fresh, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.chmod(mode)
      if (owner) await file.chown(owner.uid, owner.gid)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(fresh, join(folder, name))
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

/** Gives a folder itself to a container's root, where DCM may. */
export const giveFolder = async (path: string, owner: Ownership): Promise<void> => {
  if (owner) await chown(path, owner.uid, owner.gid)
}
