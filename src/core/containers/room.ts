import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { sumUse } from './disk.ts'
import { diskLimit } from './wish.ts'

const ended = new Set(['exited', 'created', 'dead', 'missing'])

/** What takes a caller's disk, and what of it could go. */
export function createRoom(works: Works): (caller: Caller) => Context['room'] {
  const { store, settings } = works
  return ({ person }) => ({
    async use() {
      const storage = await works
        .host(settings.hostId)
        .files.storage(person.id)
        .catch((error: unknown) => Promise.reject(explain(error)))
      const used = await sumUse(store, person.id, storage?.used ?? 0)
      const [sizes, containers, images, limit, usage] = await Promise.all([
        store.containers.layers(person.id),
        store.containers.of(person.id),
        store.images.of(person.id),
        diskLimit(works, person.id),
        store.people.usage(person.id),
      ])
      return {
        used,
        storage: storage?.used ?? 0,
        containers: containers.map(({ id, name }) => ({ name, size: sizes.get(id) ?? 0 })),
        images: images.map(({ ref, size }) => ({ ref, size })),
        limit,
        measuredAt: usage?.diskAt ?? null,
      }
    },
    async unused() {
      const [sizes, containers, images] = await Promise.all([
        store.containers.layers(person.id),
        store.containers.of(person.id),
        store.images.of(person.id),
      ])
      const used = new Set(containers.map((container) => container.imageId))
      return {
        containers: containers
          .filter((container) => container.desired === 'exited' && ended.has(container.state))
          .map(({ id, name }) => ({ id, name, size: sizes.get(id) ?? 0 })),
        images: images.filter((image) => !used.has(image.id)).map(({ id, ref, size }) => ({ id, ref, size })),
      }
    },
  })
}
