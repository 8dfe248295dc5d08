import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { secretName } from '../../model/secret.ts'
import { mountable } from '../../model/volume.ts'
import { HostError } from '../fault.ts'
import type { RunFolder } from '../files.ts'
import {
  ensureFolder,
  fileFault,
  folderName,
  giveFolder,
  look,
  type Ownership,
  replaceFile,
  trueFolder,
} from './folder.ts'
import { storageFolder, volumeFolder } from './places.ts'
import { createSftp } from './sftp.ts'
import { sshdConfig } from './sshd.ts'

/** What a secret's file may be called. */
const entryFile = new URL('entry', import.meta.url)

/**
 * The folders that containers mount read-only at `/run/dcm`. `owner` is the container's root as the host numbers it,
 * where DCM may give files away; else the files are readable to all, below a folder that only DCM may enter.
 */
export function createRuns(root: string, trash: string, owner: () => Promise<Ownership>) {
  let entry: Buffer | undefined
  const sftp = createSftp(join(root, '.sftp'))
  const at = (id: string) => join(root, folderName(id))

  /** Readable to all inside, as Docker's own secrets are: what runs there need not be root. */
  async function putSecrets(path: string, secrets: Record<string, string>, given: Ownership): Promise<void> {
    const folder = join(path, 'secrets')
    await ensureFolder(folder, 0o755)
    await giveFolder(folder, given)
    for (const [name, value] of Object.entries(secrets)) {
      if (!secretName.test(name)) throw new HostError('refused', 'The name of a secret cannot be a file name.')
      await replaceFile(folder, name, value, 0o444, given)
    }
    for (const name of await readdir(folder))
      if (!Object.hasOwn(secrets, name)) await rm(join(folder, name), { force: true })
  }

  /** The folders that a member's own are mounted on, and what the entry program leads to them. */
  async function putPlaces(path: string, volumes: readonly string[], given: Ownership): Promise<void> {
    if (!volumes.every(mountable)) throw new HostError('refused', 'A volume is mounted where the system keeps its own.')
    await ensureFolder(join(path, 'volumes'), 0o755)
    const led = [
      [storageFolder, '/storage'] as const,
      ...volumes.map((place, at) => [volumeFolder(at), place] as const),
    ]
    for (const [folder] of led) await ensureFolder(join(path, folder), 0o755)
    await replaceFile(path, 'places', led.map(([folder, place]) => `${folder} ${place}\n`).join(''), 0o644, given)
  }

  return {
    async place(folder: RunFolder): Promise<string> {
      const path = at(folder.id)
      try {
        entry ??= await readFile(entryFile)
        const given = await owner()
        await ensureFolder(path, 0o755)
        await giveFolder(path, given)
        await Promise.all([
          replaceFile(path, 'entry', entry, 0o755, given),
          replaceFile(path, 'sshd_config', sshdConfig, 0o644, given),
          replaceFile(path, 'authorized_keys', folder.authorizedKeys, 0o644, given),
          putSecrets(path, folder.secrets ?? {}, given),
          putPlaces(path, folder.volumes ?? [], given),
          sftp.place(join(path, 'sftp')),
          // Under userns-remap sshd's user cannot pass a foreign file's mode 0600; the folder above is closed instead.
          replaceFile(path, 'ssh_host_ed25519_key', folder.hostKey, given ? 0o600 : 0o644, given),
        ])
        return path
      } catch (error) {
        throw fileFault(error, "Making the container's run folder")
      }
    },

    async writeKeys(id: string, authorizedKeys: string): Promise<void> {
      try {
        if (!(await look(at(id)))) throw new HostError('gone', 'The container has no run folder.')
        await trueFolder(at(id))
        await replaceFile(at(id), 'authorized_keys', authorizedKeys, 0o644, await owner())
      } catch (error) {
        throw fileFault(error, "Writing the container's keys")
      }
    },

    async writeSecrets(id: string, secrets: Record<string, string>): Promise<void> {
      try {
        if (!(await look(at(id)))) throw new HostError('gone', 'The container has no run folder.')
        await trueFolder(at(id))
        await putSecrets(at(id), secrets, await owner())
      } catch (error) {
        throw fileFault(error, "Writing the container's secrets")
      }
    },

    async remove(id: string): Promise<void> {
      try {
        if (!(await look(at(id)))) return
        // Out of its place first: a crash in the middle leaves nothing that looks whole.
        const gone = join(trash, `run-${id}-${randomBytes(6).toString('hex')}`)
        await rename(at(id), gone)
        await rm(gone, { recursive: true, force: true })
      } catch (error) {
        throw fileFault(error, "Removing the container's run folder")
      }
    },

    list: async (): Promise<string[]> => (await readdir(root)).filter((name) => !name.startsWith('.')),
  }
}
