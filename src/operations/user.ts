import { noteKept } from '../core/people/kept.ts'
import { keepAnAdmin } from '../core/people/people.ts'
import { erase } from '../core/containers/erase.ts'
import { spreadKeys, syncKeys } from '../core/containers/runfolder.ts'
import { dropTag } from '../core/containers/tags.ts'
import { HostError, isFault } from '../core/host/fault.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = { name: string; containers: string[]; images: string[]; kept: string[]; storageKept?: boolean }

/**
 * Waits until nothing else is being done to what is theirs: no new change is admitted once they are leaving. What runs in
 * a container meanwhile, as a build or a job may for hours, ends with it.
 */
async function drain(run: Run<'remove-user', State>): Promise<void> {
  const { personId } = run.input
  while ((await run.store.operations.openOf(personId, run.id)).length > 0) {
    if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
    await run.say('waiting for what is under way')
    for (const { engineId, hostId } of await run.store.containers.of(personId))
      if (engineId)
        await run
          .host(hostId)
          .engine.stop(engineId, 0)
          .catch((error: unknown) => {
            if (!(error instanceof HostError) || isFault(error, 'down')) throw error
          })
    await run.sleep(200)
  }
}

/**
 * Removes a member and what is theirs. It only goes forward: from the moment it is stored they can do nothing any more,
 * and every step can be run again until nothing is left.
 */
export const removeUser = defineOperation<'remove-user', State>({
  kind: 'remove-user',
  subject: (input) => `person:${input.personId}`,
  doing: 'being removed',
  async admit(tx, input) {
    await tx.people.lockUsage(input.personId)
    const person = await tx.people.byId(input.personId)
    if (!person) throw new DcmError('not_found', 'That member is gone.', { try: 'user ls' })
    await keepAnAdmin(tx, person)
    await tx.people.update(person.id, { state: 'leaving' })
    await tx.keys.removeAll(person.id)
    await tx.tokens.removeAll(person.id)
    await tx.grants.removeAll(person.id)
    await tx.identities.removeAll(person.id)
    const [containers, images] = [await tx.containers.of(person.id), await tx.images.of(person.id)]
    return {
      name: person.name,
      containers: containers.map((container) => container.name),
      images: images.map((image) => image.ref),
      kept: input.images ? [] : images.map((image) => image.ref),
    }
  },
  steps: [
    // Before all that takes long: their keys are gone from the database since it began, and open nothing from now on.
    { name: 'keys', do: (run) => spreadKeys(run, run.input.personId) },
    { name: 'drain', do: drain },
    {
      name: 'containers',
      async do(run) {
        for (const container of await run.store.containers.of(run.input.personId)) {
          await run.say(`removing ${container.name}`)
          await erase(run, container)
        }
      },
    },
    {
      // Here they leave what others shared with them.
      name: 'shares',
      async do(run) {
        for (const container of await run.store.containers.sharedWith(run.input.personId)) {
          // The row last: by it this is found again after a crash.
          await syncKeys(run, container)
          await run.store.shares.remove(container.id, run.input.personId)
        }
      },
    },
    {
      name: 'images',
      async do(run) {
        const host = run.host(run.settings.hostId)
        for (const image of await run.store.images.of(run.input.personId)) {
          if (run.input.images) {
            await dropTag(host, image.engineRef)
            await run.store.images.remove(image.id)
          } else {
            // Kept for the admins: under the leaver's name and id, restricted, so that nobody inherits it by a name.
            await run.store.images.update(image.id, {
              ownerId: null,
              ref: `${run.state.name}-${run.input.personId}/${image.ref}`,
              restricted: true,
            })
          }
        }
      },
    },
    {
      name: 'network',
      async do(run) {
        for (const { id, name, hostId } of await run.store.networks.allOf(run.input.personId, run.settings.hostId)) {
          await run.host(hostId).engine.removeNetwork(name)
          await run.store.networks.remove(id, hostId)
        }
      },
    },
    {
      name: 'storage',
      async do(run) {
        await run.store.volumes.removeAll(run.input.personId)
        const { files } = run.host(run.settings.hostId)
        const { personId } = run.input
        if (run.input.storage) return files.removeStorage(personId)
        const has = (await files.list()).storages.includes(personId)
        if (has) await noteKept(run.store, personId, run.state.name, run.now())
        return { storageKept: has }
      },
    },
    {
      name: 'person',
      async do(run) {
        await run.store.people.remove(run.input.personId)
      },
    },
  ],
  reply({ input, state }) {
    const kept = [
      state.kept.length > 0 ? `their images (${state.kept.join(', ')})` : '',
      state.storageKept ? 'their storage (user kept lists it)' : '',
    ].filter(Boolean)
    const gone = state.containers.length > 0 ? ` with ${state.containers.join(', ')}` : ''
    return ok(`${state.name} is removed${gone}.${kept.length > 0 ? ` Kept: ${kept.join(' and ')}.` : ''}`, {
      data: {
        name: state.name,
        containers: state.containers,
        images: input.images ? state.images : [],
        storage: input.storage,
      },
    })
  },
})
