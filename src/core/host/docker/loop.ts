import { open, readFile, stat, truncate } from 'node:fs/promises'
import { HostError } from '../fault.ts'
import { must, run } from './program.ts'

const mebi = 1024 ** 2
/** mkfs.xfs refuses less (xfsprogs 5.19, release notes). */
const leastXfs = 300 * mebi
/** Bytes of the smallest that is made. */
export const leastExt4 = 16 * mebi

/** Paths in mountinfo have blanks and backslashes in octal; proc(5). */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))

/** What is mounted at a path of this machine, as this process sees it. */
export const mounted = async (path: string): Promise<{ type: string } | undefined> => {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  for (const line of lines.reverse()) {
    const words = line.split(' ')
    if (unescape(words[4] ?? '') === path) return { type: words[words.indexOf('-') + 1] ?? '' }
  }
  return undefined
}

/** Makes a file of so many bytes that holds an empty file system. @throws HostError; EEXIST when the file is there */
export const format = async (file: string, size: number): Promise<void> => {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.truncate(size)
  } finally {
    await handle.close()
  }
  const xfs = size >= leastXfs && (await run('mkfs.xfs', ['-q', '-f', file])).ok
  // No root reserve: the member's root could else fill what statfs does not show.
  if (!xfs) await must('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=1', file])
}

/** The loop device of a file. There is one while anybody mounts it, DCM or a container; a second one would ruin it. */
const deviceOf = async (file: string): Promise<string | undefined> =>
  (await must('losetup', ['-n', '-O', 'NAME', '-j', file])).trim().split('\n')[0] || undefined

/** Mounts such a file. Discard: what members delete is given back to the host's disk. */
export const attach = async (file: string, at: string): Promise<void> => {
  const device = await deviceOf(file)
  const args =
    device === undefined ? ['-o', 'loop,nodev,nosuid,discard', file, at] : ['-o', 'nodev,nosuid,discard', device, at]
  await must('mount', args, { seconds: 60 })
}

/** Unmounts it here. */
export const detach = async (at: string): Promise<void> => {
  for (let tries = 0; (await mounted(at)) && tries < 20; tries++) {
    if ((await run('umount', [at])).ok) continue
    // Something on the host looks into it, a measurement for instance; containers keep their own view of it.
    if (tries === 19) await must('umount', ['-l', at])
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Some machines let ext4 grow only while nobody mounts it (resize2fs needs CAP_SYS_RESOURCE else). */
const growUnmounted = async (image: string, at: string): Promise<boolean> => {
  if (!(await run('umount', [at])).ok) return false
  try {
    for (let tries = 0; (await deviceOf(image)) !== undefined; tries++) {
      // A container has it mounted.
      if (tries === 10) return false
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await run('e2fsck', ['-f', '-p', image], { seconds: 600 })
    return (await run('resize2fs', [image], { seconds: 600 })).ok
  } finally {
    await attach(image, at)
  }
}

/**
 * Lets a mounted file system have more bytes, while it is in use where that is possible.
 * @returns false when it stays as it is until nobody has it mounted
 */
export const grow = async (image: string, at: string, size: number): Promise<boolean> => {
  const now = (await stat(image)).size
  if (size <= now) return true
  const type = (await mounted(at))?.type
  const device = await deviceOf(image)
  if (device === undefined) throw new HostError('broken', 'The storage has no loop device.')
  await truncate(image, size)
  await must('losetup', ['-c', device])
  const ran = type === 'xfs' ? await run('xfs_growfs', ['-d', at]) : await run('resize2fs', [device])
  if (ran.ok || (type !== 'xfs' && (await growUnmounted(image, at)))) return true
  // The file's size is what is told as the limit, so it has to be the file system's.
  await truncate(image, now)
  await run('losetup', ['-c', device])
  return false
}
