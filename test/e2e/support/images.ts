import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createDockerHost } from '../../../src/core/host/docker/index.ts'
import { ask, claimInstance, sharedSocket } from '../../setup/engine.ts'

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

/** Makes sure that the shared engine has the offered Debian under its kept name. */
export async function ensureKept(): Promise<void> {
  const there = await ask(sharedSocket, 'GET', `/images/${kept}/json`).then(
    () => true,
    () => false,
  )
  if (there) return
  await using instance = claimInstance()
  const quiet = () => undefined
  const host = createDockerHost({
    id: 'local',
    instance: instance.id,
    dataDir: tree,
    dockerHost: `unix://${sharedSocket}`,
    bindHost: '127.0.0.1',
    egressAllow: [],
    log: { info: quiet, warn: quiet, error: quiet },
    now: Date.now,
  })
  try {
    const ref = `dcm/${instance.id}/debian:latest`
    await host.engine.build(join(tree, 'images/debian'), ref, quiet)
    await keepImage(ref)
  } finally {
    host.close()
  }
}
