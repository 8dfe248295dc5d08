import type { Intents } from '../command/intents.ts'
import type { Image } from '../model/image.ts'
import type { Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { createHostKey } from '../secret/keys.ts'
import type { Tables } from '../store/store.ts'
import { checkGrants } from './allow.ts'
import { checkDisk, checkKeys, type Member, reserve, reserveHost } from './admit.ts'
import { engineNameOf } from './named.ts'
import { asked, checkNetworks } from './networks.ts'
import { givePorts } from './ports.ts'
import { checkVolumes } from './volumes.ts'

/** What a container is made from. `id` is null while the image itself is still being made. */
export type From = Pick<Image, 'engineId' | 'ref' | 'ssh'> & { id: string | null }

/**
 * Admits a new container and reserves all that it needs, in one transaction under its owner's lock: every way to make
 * one comes through here.
 * @param member its owner, as just locked
 * @throws DcmError `limited`, `denied` or `conflict` with what would work
 */
export async function reserveContainer(
  tx: Tables,
  member: Member,
  input: Omit<Intents['create'], 'imageId' | 'imageRef'>,
  id: string,
  works: Works,
  image: From,
): Promise<void> {
  checkGrants(member.grants, input.spec, input.ports)
  if (image.ssh) await checkKeys(tx, input.ownerId)
  if (await tx.containers.byName(input.ownerId, input.name))
    throw new DcmError('conflict', `You already have a container called ${input.name}.`, {
      try: `inspect ${input.name}`,
    })
  await checkVolumes(tx, input.ownerId, input.spec.volumes)
  await checkNetworks(tx, input.ownerId, asked(input.spec, input.joins))
  const { memory, cpus, pids } = input.limits
  checkDisk(member)
  await reserve(tx, member, { containers: 1, running: 1, memory, cpus, pids, ports: input.ports.length })
  await reserveHost(tx, works.settings.hostId, memory)
  const key = createHostKey()
  const container = { id, ownerId: input.ownerId, hostId: works.settings.hostId }
  await tx.containers.insert({
    ...container,
    name: input.name,
    engineName: engineNameOf(works.place.instance, id),
    imageId: image.id,
    imageEngineId: image.engineId,
    imageRef: image.ref,
    memory,
    cpus,
    pids,
    spec: input.spec,
    ssh: image.ssh,
    fingerprint: key.fingerprint,
    hostKey: key.publicKey,
    hostKeySealed: works.seal.seal(key.privateKey, id),
  })
  for (const network of input.joins ?? []) await tx.networks.join(network.id, container.hostId, id)
  if (input.lives !== undefined) await tx.containers.extend(id, input.lives)
  const sshWish = image.ssh ? [{ container: 22, proto: 'tcp' as const, purpose: 'ssh' as const }] : []
  const publicWishes = input.ports.map((port) => ({ ...port, purpose: 'public' as const }))
  await givePorts(tx, container, [...sshWish, ...publicWishes], works.settings.ports, works.random)
}
