import { defineOperation, type Run } from '../core/operation/define.ts'
import { checkGrants, mayUse } from '../core/containers/allow.ts'
import { checkDisk, lockMember, reserve, reserveHost } from '../core/containers/admit.ts'
import { givePorts } from '../core/containers/ports.ts'
import { ensureNetwork } from '../core/containers/network.ts'
import { startAnew } from '../core/containers/start.ts'
import type { Container } from '../core/model/container.ts'
import { toData, toFields } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'
import { createHostKey } from '../core/secret/keys.ts'

/** `made` is the container as it was when it had come up: what the answer is told from. */
type State = { network?: string; made?: Container }

const row = async (run: Run<'create', State>) => {
  const container = await run.store.containers.byId(run.id)
  if (!container) throw new DcmError('conflict', 'The container was removed meanwhile.')
  return container
}

/** A member gets a container: reserved first, then made, and answered for once its sshd has been spoken to. */
export const create = defineOperation<'create', State>({
  kind: 'create',
  subject: (_, id) => `container:${id}`,
  doing: 'being created',
  async admit(tx, input, id, works) {
    const member = await lockMember(tx, input.ownerId)
    checkGrants(member.grants, input.spec, input.ports)
    const image = await tx.images.byId(input.imageId)
    if (!image || !mayUse(image, input.ownerId, member.grants)) throw new DcmError('not_found', `You have no image called ${input.imageRef}.`, { try: 'images' })
    if (image.ssh && (await tx.keys.of(input.ownerId)).length === 0)
      throw new DcmError('conflict', 'You have no SSH key yet, so nobody could log in: add your public key first.', { try: 'key add' })
    if (await tx.containers.byName(input.ownerId, input.name))
      throw new DcmError('conflict', `You already have a container called ${input.name}.`, { try: `inspect ${input.name}` })
    const { memory, cpus, pids } = input.limits
    checkDisk(member)
    await reserve(tx, member, { containers: 1, running: 1, memory, cpus, pids, ports: input.ports.length })
    await reserveHost(tx, works.settings.hostId, memory)
    const key = createHostKey()
    const container = { id, ownerId: input.ownerId, hostId: works.settings.hostId }
    await tx.containers.insert({
      ...container,
      name: input.name,
      engineName: `dcm-${works.place.instance}-${id}`,
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
    const sshWish = image.ssh ? [{ container: 22, proto: 'tcp' as const, purpose: 'ssh' as const }] : []
    const publicWishes = input.ports.map((port) => ({ ...port, purpose: 'public' as const }))
    await givePorts(tx, container, [...sshWish, ...publicWishes], works.settings.ports, works.random)
    return {}
  },
  steps: [
    {
      name: 'network',
      async do(run) {
        await run.say('making room')
        return { network: await ensureNetwork(run, run.input.ownerId, run.settings.hostId) }
      },
    },
    {
      name: 'start',
      async do(run) {
        await run.say('starting')
        await startAnew(run, (await row(run)).id, run.state.network!)
        return { made: await row(run) }
      },
      async undo(run) {
        const host = run.host(run.settings.hostId)
        const seen = await host.engine.find(`dcm-${run.place.instance}-${run.id}`)
        if (seen) await host.engine.remove(seen.engineId)
        await host.files.removeRun(run.id)
      },
    },
  ],
  release: (run) => run.store.containers.remove(run.id),
  reply({ state, place }) {
    const made = state.made!
    const own = made.ssh ? '' : ' its image has no SSH server, so'
    const text =
      made.ssh || place.ssh
        ? `${made.name} is running;${own} log in with the ssh line below.`
        : `${made.name} is running; its image has no SSH server, and the SSH door is off here.`
    return ok(text, {
      fields: toFields(made, place),
      data: toData(made, place),
      private: true,
      actions: [
        { label: 'Stop', line: `stop ${made.name}` },
        { label: 'Logs', line: `logs ${made.name}` },
      ],
    })
  },
})
