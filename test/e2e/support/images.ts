import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ask, sharedSocket } from '../../setup/engine.ts'

const tree = join(import.meta.dirname, '../../..')

/**
 * What a DCM under test offers: `debian`, `python`, every image of the tree, or one that the engine has already, under
 * the name `debian`. One image is enough for most tests.
 */
export type Offered = 'debian' | 'python' | 'all' | { from: string }

/** Makes the folder of images that DCM is given. @returns its path */
export async function offeredFolder(offered: Offered, into: string): Promise<string> {
  if (offered === 'all') return join(tree, 'images')
  const folder = join(into, 'offered')
  const name = typeof offered === 'string' ? offered : 'debian'
  await mkdir(join(folder, name), { recursive: true })
  if (typeof offered === 'string') await cp(join(tree, 'images', name), join(folder, name), { recursive: true })
  else await writeFile(join(folder, name, 'Dockerfile'), `# about: made for a test\nFROM ${offered.from}\n`)
  return folder
}

/** The name that keeps the offered Debian of a test run, for engines that cannot build it. */
export const kept = 'dcm-test/debian:latest'

/** Keeps an image under a name that outlives the instance: with its last name its layers would leave the engine's cache. */
export async function keepImage(engineRef: string, socket = sharedSocket): Promise<void> {
  await ask(socket, 'POST', `/images/${engineRef}/tag?repo=dcm-test/debian&tag=latest`)
}
