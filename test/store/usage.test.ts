import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lockMember, reserve, reserveHost } from '../../src/core/containers/admit.ts'
import { givePorts, replacePort } from '../../src/core/containers/ports.ts'
import type { Desired } from '../../src/core/model/container.ts'
import { DcmError } from '../../src/core/reply/error.ts'
import { violated } from '../../src/core/store/db.ts'
import type { Store } from '../../src/core/store/store.ts'
import { addHost, addPerson, containerOf, createEmpty, imageOf, kinds, refusalOf } from './databases.ts'

type Box = { id: string; desired: Desired; memory: number; cpus: number; pids: number; ports: number[] }

const desired = fc.constantFrom<Desired>('running', 'paused', 'exited', 'removed')
const limits = fc.record({
  memory: fc.integer({ min: 1, max: 2 ** 35 }),
  cpus: fc.integer({ min: 10, max: 4000 }),
  pids: fc.integer({ min: 1, max: 4096 }),
})
const pick = fc.nat({ max: 99 })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), desired, limits }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('want' as const), pick, desired }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resize' as const), pick, limits }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touch' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rmi' as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      pick,
      purpose: fc.constantFrom('public' as const, 'ssh' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold' as const), pick }) },
)

describe.each(kinds)('%s', (kind) => {
  let store: Store
  let dispose: (() => PromiseLike<void>) | undefined
  beforeAll(async () => {
    const empty = await createEmpty(kind)
    store = empty.store
    dispose = () => empty[Symbol.asyncDispose]()
  })
  afterAll(() => dispose?.())

  test('the database counts exactly, whatever is inserted, changed and deleted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const [{ id: ownerId }, hostId] = [await addPerson(store), await addHost(store)]
        const boxes: Box[] = []
        const images: string[] = []
        const published = new Map<number, { box: Box; purpose: 'public' | 'ssh' }>()
        let nextPort = 20_000
        for (const one of steps) {
          const box = 'pick' in one ? boxes[one.pick % (boxes.length || 1)] : undefined
          if (one.do === 'create') {
            const row = containerOf(ownerId, hostId, { desired: one.desired, ...one.limits })
            await store.containers.insert(row)
            boxes.push({ id: row.id, desired: one.desired, ...one.limits, ports: [] })
          } else if (one.do === 'commit') {
            const row = imageOf(ownerId, hostId)
            await store.images.insert(row)
            images.push(row.id)
          } else if (one.do === 'rmi') {
            const image = images.splice(one.pick % (images.length || 1), 1)[0]
            if (image) await store.images.remove(image)
          } else if (!box) continue
          else if (one.do === 'want') {
            await store.containers.update(box.id, { desired: one.desired })
            box.desired = one.desired
          } else if (one.do === 'resize') {
            await store.containers.update(box.id, one.limits)
            Object.assign(box, one.limits)
          } else if (one.do === 'touch') await store.containers.update(box.id, { state: 'running', trouble: 'none' })
          else if (one.do === 'drop') {
            await store.containers.remove(box.id)
            boxes.splice(boxes.indexOf(box), 1)
            for (const [port, { box: whose }] of published) if (whose === box) published.delete(port)
          } else if (one.do === 'publish') {
            const hostPort = nextPort++
            await store.ports.insert({
              hostId,
              proto: 'tcp',
              hostPort,
              containerId: box.id,
              ownerId,
              containerPort: 80,
              purpose: one.purpose,
            })
            published.set(hostPort, { box, purpose: one.purpose })
          } else {
            const port = [...published.keys()][one.pick % (published.size || 1)]
            if (port === undefined) continue
            await store.ports.hold(hostId, 'tcp', port, 60_000)
            published.delete(port)
          }
        }
        const live = boxes.filter((one) => one.desired === 'running' || one.desired === 'paused')
        const sum = (of: 'memory' | 'cpus' | 'pids') => live.reduce((total, one) => total + one[of], 0)
        expect(await store.people.usage(ownerId)).toMatchObject({
          containers: boxes.length,
          running: live.length,
          memory: sum('memory'),
          cpus: sum('cpus'),
          pids: sum('pids'),
          images: images.length,
          ports: [...published.values()].filter((one) => one.purpose === 'public').length,
        })
        expect(await store.hosts.byId(hostId)).toMatchObject({ memoryUsed: sum('memory'), cpusUsed: sum('cpus') })
      }),
      { numRuns: 15 },
    )
  }, 120_000)

  test('J01: of thirty that are admitted at once, as many fit as the quota says', async () => {
    const [person, hostId] = [await addPerson(store), await addHost(store)]
    await store.people.update(person.id, {
      quota: { containers: 3, running: 30, memory: 2 ** 40, cpus: 100_000, pids: 100_000 },
    })
    const admit = () =>
      store.tx(async (tx) => {
        const row = containerOf(person.id, hostId)
        await reserve(tx, await lockMember(tx, person.id), {
          containers: 1,
          running: 1,
          memory: row.memory,
          cpus: row.cpus,
          pids: row.pids,
        })
        await reserveHost(tx, hostId, row.memory)
        await tx.containers.insert(row)
      })
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, admit))
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(27)
    for (const { reason } of refused)
      expect(reason).toMatchObject({
        code: 'limited',
        message: expect.stringMatching(/^You may have 3 containers \(your quota\) and use 3/),
      })
    expect((await store.people.usage(person.id))!.containers).toBe(3)
    expect(await store.containers.of(person.id)).toHaveLength(3)
  })

  test('J01: code that forgets to ask cannot pass a cap either', async () => {
    const person = await addPerson(store, { runningCap: 3, containersCap: 20 })
    const hostId = await addHost(store)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, () => store.containers.insert(containerOf(person.id, hostId))),
    )
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(3)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(violated(outcome.reason)).toBe('usage_running')
    expect(await store.people.usage(person.id)).toMatchObject({ containers: 3, running: 3 })
    const stopped = await Promise.allSettled(
      Array.from({ length: 30 }, () => store.containers.insert(containerOf(person.id, hostId, { desired: 'exited' }))),
    )
    expect(stopped.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(17)
  })

  test.each([
    ['memory', { memoryCap: 1000 }, 'usage_memory'],
    ['cpus', { cpusCap: 1500 }, 'usage_cpus'],
    ['pids', { pidsCap: 100 }, 'usage_pids'],
  ])('J09: the sum of %s never exceeds its cap', async (_, room, rule) => {
    const [person, hostId] = [await addPerson(store, room), await addHost(store)]
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => store.containers.insert(containerOf(person.id, hostId))),
    )
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(violated(outcome.reason)).toBe(rule)
    // Stopping one makes room for one.
    const [one] = await store.containers.of(person.id)
    await store.containers.update(one!.id, { desired: 'exited' })
    await store.containers.insert(containerOf(person.id, hostId))
    expect(violated(await refusalOf(store.containers.update(one!.id, { desired: 'running' })))).toBe(rule)
  })

  test('members together never get more memory than the host has', async () => {
    const hostId = await addHost(store, 5 * 512)
    const people = await Promise.all(Array.from({ length: 10 }, () => addPerson(store)))
    const outcomes = await Promise.allSettled(
      people.map((person) => store.containers.insert(containerOf(person.id, hostId))),
    )
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(5)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(violated(outcome.reason)).toBe('hosts_memory')
  })

  test('J03: of ten commits at once, as many images stay as the cap says', async () => {
    const [person, hostId] = [await addPerson(store, { imagesCap: 4 }), await addHost(store)]
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => store.images.insert(imageOf(person.id, hostId))),
    )
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(4)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(violated(outcome.reason)).toBe('usage_images')
    // What the admins offer is nobody's.
    await store.images.insert(imageOf(null, hostId))
  })

  test('a quota that is lowered below what is used leaves what is there, and admits no more', async () => {
    const [person, hostId] = [await addPerson(store), await addHost(store)]
    for (let i = 0; i < 4; i++) await store.containers.insert(containerOf(person.id, hostId, { desired: 'exited' }))
    await store.people.update(person.id, { quota: { containers: 2 } })
    const admit = store.tx(async (tx) => reserve(tx, await lockMember(tx, person.id), { containers: 1 }))
    expect(await refusalOf(admit)).toBeInstanceOf(DcmError)
    // Something else can still be admitted, and what there is can go.
    await store.tx(async (tx) => reserve(tx, await lockMember(tx, person.id), { images: 1 }))
    await store.containers.remove((await store.containers.of(person.id))[0]!.id)
    expect(await store.people.usage(person.id)).toMatchObject({ containers: 3, containersCap: 4 })
  })

  test('J04: fifty containers that want ports at once all get different ones, in range', async () => {
    const hostId = await addHost(store)
    const range = { low: 20_000, high: 20_119 }
    const people = await Promise.all(Array.from({ length: 10 }, () => addPerson(store)))
    const random = (count: number) => crypto.getRandomValues(new Uint8Array(count))
    const given = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        store.tx(async (tx) => {
          const row = containerOf(people[at % 10]!.id, hostId)
          await tx.people.lockUsage(row.ownerId)
          await tx.hosts.lock(hostId)
          await tx.containers.insert(row)
          return givePorts(
            tx,
            row,
            [
              { container: 22, proto: 'tcp', purpose: 'ssh' },
              { container: 80, proto: 'tcp', purpose: 'public' },
            ],
            range,
            random,
          )
        }),
      ),
    )
    const ports = given.flat().map((port) => port.host)
    expect(new Set(ports).size).toBe(100)
    for (const port of ports) expect(port >= range.low && port <= range.high).toBe(true)
  })

  test('J05: a port is one container’s, and free again only when that is gone', async () => {
    const [first, second, hostId] = [await addPerson(store), await addPerson(store), await addHost(store)]
    const [mine, theirs] = [containerOf(first.id, hostId, { desired: 'exited' }), containerOf(second.id, hostId)]
    for (const row of [mine, theirs]) await store.containers.insert(row)
    const port = (row: typeof mine) => ({
      hostId,
      proto: 'tcp' as const,
      hostPort: 443,
      containerId: row.id,
      ownerId: row.ownerId,
      containerPort: 8443,
      purpose: 'public' as const,
    })
    await store.ports.insert(port(mine))
    expect(violated(await refusalOf(store.ports.insert(port(theirs))))).toMatch(/^ports_/)
    await store.ports.insert({ ...port(theirs), proto: 'udp' })
    await store.containers.remove(mine.id)
    await store.ports.insert(port(theirs))
    expect(violated(await refusalOf(store.ports.insert({ ...port(theirs), hostPort: 0 })))).toBe('ports_range')
    expect(violated(await refusalOf(store.ports.insert({ ...port(theirs), hostPort: 65_536 })))).toBe('ports_range')
  })

  test('a port that something else holds is left alone for a while, and another is given', async () => {
    const [{ id: ownerId }, hostId] = [await addPerson(store), await addHost(store)]
    const row = containerOf(ownerId, hostId)
    await store.containers.insert(row)
    const range = { low: 21_000, high: 21_001 }
    const random = (count: number) => new Uint8Array(count)
    const [port] = await store.tx((tx) =>
      givePorts(tx, row, [{ container: 80, proto: 'tcp', purpose: 'public' }], range, random),
    )
    expect(port!.host).toBe(21_000)
    const other = await store.tx((tx) => replacePort(tx, row, port!, range, random))
    expect(other).toEqual({ ...port, host: 21_001 })
    expect((await store.containers.byId(row.id))!.ports).toEqual([other])
    expect((await store.people.usage(ownerId))!.ports).toBe(1)
    expect(await store.ports.taken(hostId, 'tcp')).toEqual(new Set([21_000, 21_001]))
    await expect(
      store.tx((tx) => givePorts(tx, row, [{ container: 81, proto: 'tcp', purpose: 'public' }], range, random)),
    ).rejects.toThrow(/All ports from 21000 to 21001 are taken/)
    await store.ports.hold(hostId, 'tcp', 21_000, 0)
    expect(await store.ports.taken(hostId, 'tcp')).toEqual(new Set([21_001]))
  })
})
