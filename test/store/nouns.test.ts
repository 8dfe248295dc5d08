import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { violated } from '../../src/core/store/db.ts'
import type { Store } from '../../src/core/store/store.ts'
import {
  addHost,
  addPerson,
  containerOf,
  createEmpty,
  fresh,
  imageOf,
  kinds,
  operationOf,
  refusalOf,
} from './databases.ts'

describe.each(kinds)('%s', (kind) => {
  let store: Store
  let dispose: (() => PromiseLike<void>) | undefined
  beforeAll(async () => {
    const empty = await createEmpty(kind)
    store = empty.store
    dispose = () => empty[Symbol.asyncDispose]()
  })
  afterAll(() => dispose?.())

  describe('what must be one of a kind is, and the store names the rule', () => {
    test('a name among members', async () => {
      const { name } = await addPerson(store)
      expect(violated(await refusalOf(store.people.insert({ id: fresh(), name, role: 'member' })))).toBe('people_name')
    })

    test('a fingerprint among all members, also inside a transaction', async () => {
      const [first, second] = [await addPerson(store), await addPerson(store)]
      const fingerprint = fresh('SHA256:')
      const key = (ownerId: string) => ({ id: fresh('k'), ownerId, type: 'ssh-ed25519', blob: 'AAAA', fingerprint })
      await store.keys.insert(key(first.id))
      expect(violated(await refusalOf(store.keys.insert(key(second.id))))).toBe('keys_fingerprint')
      const whole = store.tx(async (tx) => {
        await tx.people.update(second.id, { role: 'admin' })
        await tx.keys.insert(key(second.id))
      })
      expect(violated(await refusalOf(whole))).toBe('keys_fingerprint')
      expect((await store.people.byId(second.id))!.role).toBe('member')
    })

    test('a name among one member’s containers, an image reference, a token label, a subnet', async () => {
      const [{ id: ownerId }, other, hostId] = [await addPerson(store), await addPerson(store), await addHost(store)]
      await store.containers.insert(containerOf(ownerId, hostId, { name: 'web' }))
      await store.containers.insert(containerOf(other.id, hostId, { name: 'web' }))
      expect(violated(await refusalOf(store.containers.insert(containerOf(ownerId, hostId, { name: 'web' }))))).toBe(
        'containers_name',
      )
      await store.images.insert(imageOf(ownerId, hostId, { ref: 'web:v1' }))
      await store.images.insert(imageOf(null, hostId, { ref: 'web:v1' }))
      expect(violated(await refusalOf(store.images.insert(imageOf(ownerId, hostId, { ref: 'web:v1' }))))).toBe(
        'images_ref',
      )
      expect(violated(await refusalOf(store.images.insert(imageOf(null, hostId, { ref: 'web:v1' }))))).toBe(
        'images_ref',
      )
      const token = () => ({ id: fresh('t'), ownerId, hash: fresh(), label: 'ci', commands: null, containers: null })
      await store.tokens.insert(token(), 60_000)
      expect(violated(await refusalOf(store.tokens.insert(token(), 60_000)))).toBe('tokens_label')
      const network = (id: string, subnet: string | null, called = '') =>
        store.networks.insert({ id: fresh('n'), ownerId: id, hostId, name: fresh(), bridge: fresh(), subnet, called })
      await network(ownerId, '10.9.0.0/26')
      expect(violated(await refusalOf(network(other.id, '10.9.0.0/26')))).toBe('networks_subnet')
      // Those that have no subnet yet are many; one name of one member is one.
      await network(ownerId, null, 'back')
      await network(other.id, null, 'back')
      expect(violated(await refusalOf(network(ownerId, null, 'back')))).toBe('networks_called')
      const volume = () => store.volumes.insert({ id: fresh('v'), ownerId, hostId, name: 'data' })
      await volume()
      expect(violated(await refusalOf(volume()))).toBe('volumes_name')
    })

    test('what belongs to nobody is refused', async () => {
      const gone = store.keys.insert({ id: fresh('k'), ownerId: 'nobody', type: 't', blob: 'b', fingerprint: fresh() })
      expect(violated(await refusalOf(gone))).toBe('keys_owner_id_people_id_fk')
    })

    test('a member who still has something cannot be dropped', async () => {
      const [{ id }, hostId] = [await addPerson(store), await addHost(store)]
      await store.containers.insert(containerOf(id, hostId))
      expect(violated(await refusalOf(store.people.remove(id)))).toMatch(/^containers_owner_id/)
    })
  })

  test('members are listed with what they have', async () => {
    const [{ id }, hostId] = [await addPerson(store), await addHost(store)]
    await addPerson(store)
    for (let i = 0; i < 3; i++) await store.containers.insert(containerOf(id, hostId))
    await store.keys.insert({ id: fresh('k'), ownerId: id, type: 't', blob: 'b', fingerprint: fresh() })
    const all = await store.people.withCounts()
    expect(all.find((person) => person.id === id)).toMatchObject({ containers: 3, keys: 1 })
    expect(
      all.filter((person) => person.id !== id).every((person) => person.containers === 0 || person.keys === 0),
    ).toBe(true)
  })

  test('a container is read whole, with its ports, by each of its names', async () => {
    const [owner, hostId] = [await addPerson(store), await addHost(store)]
    const row = containerOf(owner.id, hostId, { name: 'web', engineId: fresh('e') })
    await store.containers.insert(row)
    await store.ports.insert({
      hostId,
      proto: 'tcp',
      hostPort: 20_001,
      containerId: row.id,
      ownerId: owner.id,
      containerPort: 80,
      purpose: 'public',
    })
    await store.ports.insert({
      hostId,
      proto: 'tcp',
      hostPort: 20_002,
      containerId: row.id,
      ownerId: owner.id,
      containerPort: 22,
      purpose: 'ssh',
    })
    const whole = (await store.containers.byId(row.id))!
    expect(whole).toMatchObject({
      owner: owner.name,
      limits: { memory: 512, cpus: 1000, pids: 64 },
      spec: row.spec,
      ports: [
        { container: 22, proto: 'tcp', host: 20_002, purpose: 'ssh' },
        { container: 80, proto: 'tcp', host: 20_001, purpose: 'public' },
      ],
    })
    expect(whole.createdAt).toBeInstanceOf(Date)
    expect('hostKeySealed' in whole).toBe(false)
    for (const same of [
      await store.containers.byName(owner.id, 'web'),
      await store.containers.byEngineId(row.engineId!),
      (await store.containers.of(owner.id))[0],
      (await store.containers.onHost(hostId))[0],
    ])
      expect(same).toEqual(whole)
    expect(await store.containers.byName((await addPerson(store)).id, 'web')).toBeUndefined()
  })

  test('layer sizes of many containers are set in one statement, and summed', async () => {
    const [{ id }, hostId] = [await addPerson(store), await addHost(store)]
    const rows = Array.from({ length: 5 }, () => containerOf(id, hostId, { engineId: fresh('e') }))
    for (const row of rows) await store.containers.insert(row)
    await store.containers.setLayers(new Map(rows.map((row, at) => [row.engineId!, 2 ** 33 + at])))
    await store.containers.setLayers(new Map([['unknown', 5]]))
    await store.containers.setLayers(new Map())
    expect(await store.containers.layerBytes(id)).toBe(5 * 2 ** 33 + 10)
  })

  test('facts of the site keep their types, and the first word stays', async () => {
    for (const value of ['1234', 'true', 'null', '"quoted"', 'ab12', 7, true, { a: ['1'] }, ['x'], '']) {
      const key = fresh('k')
      await store.site.set(key, value)
      expect(await store.site.get(key), JSON.stringify(value)).toEqual(value)
    }
    const key = fresh('k')
    expect(await store.site.settle(key, 'first')).toBe('first')
    expect(await store.site.settle(key, 'second')).toBe('first')
    await Promise.all(['a', 'b', 'c', 'd'].map((name, at) => store.site.merge(key.concat('m'), { [name]: at })))
    expect(await store.site.get(key.concat('m'))).toEqual({ a: 0, b: 1, c: 2, d: 3 })
    expect(await store.site.get('absent')).toBeUndefined()
  })

  test('M06: tokens and grants expire by the clock of the database', async () => {
    const { id } = await addPerson(store)
    await store.tokens.insert({ id: fresh('t'), ownerId: id, hash: 'alive', label: 'alive' }, 60_000)
    await store.tokens.insert({ id: fresh('t'), ownerId: id, hash: 'dead', label: 'dead' }, 1)
    await store.grants.put({ ownerId: id, thing: 'cap:SYS_PTRACE', grantedBy: 'admin' }, 1)
    await store.grants.put({ ownerId: id, thing: 'port:443', grantedBy: 'admin' }, 60_000)
    await store.grants.put({ ownerId: id, thing: 'restart-policy', grantedBy: 'admin' })
    await setTimeout(20)
    expect(await store.tokens.byHash('dead')).toBeUndefined()
    expect((await store.tokens.byHash('alive'))!.person.id).toBe(id)
    expect((await store.grants.of(id)).map((grant) => grant.thing)).toEqual(['port:443', 'restart-policy'])
    expect(await store.tx((tx) => tx.grants.lock(id))).toHaveLength(2)
    await store.grants.put({ ownerId: id, thing: 'cap:SYS_PTRACE', grantedBy: 'other' }, 60_000)
    expect((await store.grants.of(id))[0]).toMatchObject({ thing: 'cap:SYS_PTRACE', grantedBy: 'other' })
    await store.tokens.touch((await store.tokens.of(id))[0]!.id)
    expect((await store.tokens.of(id))[0]!.lastUsedAt).toBeInstanceOf(Date)
  })

  describe('operations', () => {
    const lease = (holder: string, ms = 60_000) => ({ holder, ms })

    test('an open one is the lock on its subject, until it has ended', async () => {
      const row = operationOf()
      const first = await store.operations.insert(row, lease('a'))
      expect(
        violated(await refusalOf(store.operations.insert(operationOf({ subject: row.subject }), lease('b')))),
      ).toBe('operations_subject')
      expect((await store.operations.openOn(row.subject))!.id).toBe(first.id)
      expect(await store.operations.save(first.id, 1, { status: 'undoing' })).toBe(true)
      expect(
        violated(await refusalOf(store.operations.insert(operationOf({ subject: row.subject }), lease('b')))),
      ).toBe('operations_subject')
      await store.operations.save(first.id, 1, { status: 'failed', finishedAt: new Date() })
      expect((await store.operations.insert(operationOf({ subject: row.subject }), lease('b'))).status).toBe('open')
    })

    test('J11: two holders never claim the same one, and a claim takes no more than it asked for', async () => {
      const made = new Set<string>()
      for (let i = 0; i < 20; i++) made.add((await store.operations.insert(operationOf(), lease('dead', 0))).id)
      await setTimeout(20)
      const claims = await Promise.all(
        Array.from({ length: 12 }, (_, at) => store.operations.claim(lease(at % 2 ? 'a' : 'b'), 3)),
      )
      for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(3)
      const ids = claims.flat().map((row) => row.id)
      expect(new Set(ids).size).toBe(ids.length)
      expect(new Set(ids).isSubsetOf(made)).toBe(true)
      for (let tries = 0; tries < 10 && ids.length < 20; tries++)
        ids.push(...(await store.operations.claim(lease('c'), 5)).map((row) => row.id))
      expect(new Set(ids)).toEqual(made)
      expect(await store.operations.claim(lease('d'), 50)).toEqual([])
    })

    test('who has been overtaken changes nothing any more', async () => {
      const { id } = await store.operations.insert(operationOf(), lease('old', 0))
      await setTimeout(20)
      const taken = (await store.operations.claim(lease('new'), 100)).find((row) => row.id === id)!
      expect(taken).toMatchObject({ holder: 'new', fence: 2 })
      expect(await store.operations.heartbeat(id, 1, 60_000)).toBe(false)
      expect(await store.operations.save(id, 1, { step: 9, state: { stolen: true } })).toBe(false)
      await store.operations.postpone(id, 1, 0, { progress: 'stolen' })
      expect(await store.operations.heartbeat(id, 2, 60_000)).toBe(true)
      expect(await store.operations.save(id, 2, { step: 1, state: { made: 'x' } })).toBe(true)
      expect(await store.operations.byId(id)).toMatchObject({
        step: 1,
        state: { made: 'x' },
        progress: null,
        holder: 'new',
      })
      await store.operations.save(id, 2, { status: 'done', finishedAt: new Date(), reply: { text: 'Done.' } })
      expect(await store.operations.save(id, 2, { step: 7 })).toBe(false)
      expect(await store.operations.heartbeat(id, 2, 1)).toBe(false)
    })

    test('one that is put back is claimed when it is due, and what a dead life left is freed', async () => {
      const { id } = await store.operations.insert(operationOf(), lease('host1/one'))
      await store.operations.postpone(id, 1, 60_000, { attempts: 1 })
      expect((await store.operations.claim(lease('b'), 100)).map((row) => row.id)).not.toContain(id)
      const held = await store.operations.insert(operationOf(), lease('host1/one'))
      const others = await store.operations.insert(operationOf(), lease('host2/one'))
      await store.operations.abandon('host1/')
      const freed = (await store.operations.claim(lease('host1/two'), 100)).map((row) => row.id)
      expect(freed).toContain(held.id)
      expect(freed).not.toContain(others.id)
    })

    test('open ones are counted and told by owner; old ones are dropped, open ones never', async () => {
      const { id: ownerId } = await addPerson(store)
      const before = await store.operations.countOpen()
      const [open, done] = [
        await store.operations.insert(operationOf({ ownerId }), lease('a')),
        await store.operations.insert(operationOf({ ownerId }), lease('a')),
      ]
      await store.operations.save(done.id, 1, { status: 'done', finishedAt: new Date(0) })
      expect(await store.operations.countOpen()).toBe(before + 1)
      expect((await store.operations.openOf(ownerId, 'other')).map((row) => row.id)).toEqual([open.id])
      expect(await store.operations.openOf(ownerId, open.id)).toEqual([])
      await store.operations.dropBefore(new Date())
      expect((await store.operations.recent(ownerId, 10)).map((row) => row.id)).toEqual([open.id])
    })
  })

  describe('leases', () => {
    test('one holder at a time; the fence grows when it changes hands', async () => {
      const name = fresh('loop')
      expect(await store.leases.take(name, 'a', 60_000)).toBe(true)
      expect(await store.leases.take(name, 'b', 60_000)).toBe(false)
      expect(await store.leases.take(name, 'a', 1)).toBe(true)
      await setTimeout(20)
      expect(await store.leases.take(name, 'b', 60_000)).toBe(true)
      expect(await store.leases.take(name, 'a', 60_000)).toBe(false)
      await store.leases.drop(name, 'a')
      expect(await store.leases.take(name, 'a', 60_000)).toBe(false)
      await store.leases.drop(name, 'b')
      expect(await store.leases.take(name, 'a', 60_000)).toBe(true)
    })

    test('of many who want it at once, one has it; a dead life’s is freed', async () => {
      const name = fresh('loop')
      const took = await Promise.all(
        Array.from({ length: 10 }, (_, at) => store.leases.take(name, `host1/${at}`, 60_000)),
      )
      expect(took.filter(Boolean)).toHaveLength(1)
      await store.leases.abandon('host2/')
      expect(await store.leases.take(name, 'x', 60_000)).toBe(false)
      await store.leases.abandon('host1/')
      expect(await store.leases.take(name, 'x', 60_000)).toBe(true)
    })
  })

  test('H08: of many calls with one key, one is the first; the rest get what is stored', async () => {
    const row = { ownerId: fresh(), key: 'k', digest: 'd' }
    const claims = await Promise.all(Array.from({ length: 10 }, () => store.calls.claim(row, 60_000)))
    expect(claims.filter((claim) => claim === undefined)).toHaveLength(1)
    // Whoever has it may have died: after a while an equal call may do the work, and no other.
    await setTimeout(5)
    expect(await store.calls.claim({ ...row, digest: 'other' }, 1)).toMatchObject({ digest: 'd' })
    expect(await store.calls.claim(row, 1)).toBeUndefined()
    expect(await store.calls.claim(row, 60_000)).toMatchObject({ digest: 'd', reply: null })
    await store.calls.settle(row.ownerId, 'k', { reply: 'sealed' })
    expect(await store.calls.claim({ ...row, digest: 'other' }, 60_000)).toMatchObject({ digest: 'd', reply: 'sealed' })
    expect(await store.calls.claim({ ...row, ownerId: fresh() }, 60_000)).toBeUndefined()
    await store.calls.forget(row.ownerId, 'k')
    expect(await store.calls.claim(row, 60_000)).toBeUndefined()
    await store.calls.dropBefore(new Date(Date.now() + 60_000))
    expect(await store.calls.claim(row, 60_000)).toBeUndefined()
  })

  test('the audit log is read newest first, by name and by time', async () => {
    const [actor, as] = [fresh('a'), fresh('b')]
    const entry = { surface: 'http', command: 'ps', decision: 'done' as const, requestId: 'r' }
    for (const extra of [{ actor }, { actor: 'admin', as: actor }, { actor: as }])
      await store.audit.add({ ...entry, ...extra })
    const mine = await store.audit.read({ name: actor, limit: 10 })
    expect(mine.map((row) => row.as)).toEqual([actor, null])
    expect(mine[0]!.id).toBeGreaterThan(mine[1]!.id)
    expect(await store.audit.read({ name: actor, since: new Date(Date.now() + 3_600_000), limit: 10 })).toEqual([])
    expect(await store.audit.read({ limit: 1 })).toHaveLength(1)
    await store.audit.dropBefore(new Date(Date.now() + 3_600_000))
    expect(await store.audit.read({ limit: 10 })).toEqual([])
  })

  test('N03: of two admins who leave at once, one stays', async () => {
    const admins = await Promise.all(
      [0, 1].map(() => store.people.insert({ id: fresh('p'), name: fresh('p'), role: 'admin' })),
    )
    const others = (await store.people.list()).filter(
      (person) => person.role === 'admin' && !admins.some((one) => one.id === person.id),
    )
    for (const other of others) await store.people.update(other.id, { role: 'member' })
    const left = await Promise.all(
      admins.map((admin) =>
        store.tx(async (tx) => {
          if ((await tx.people.otherAdmins(admin.id)) === 0) return false
          await tx.people.update(admin.id, { state: 'suspended' })
          return true
        }),
      ),
    )
    expect(left.filter(Boolean)).toHaveLength(1)
  })

  test('a host that was not seen for a while, or does not answer, is stale', async () => {
    const id = await addHost(store)
    const stale = async (ms: number) => (await store.hosts.stale(ms)).map((host) => host.id)
    expect(await stale(60_000)).toContain(id)
    await store.hosts.seen(id)
    expect(await stale(60_000)).not.toContain(id)
    await setTimeout(20)
    expect(await stale(1)).toContain(id)
    await store.hosts.unreachable(id)
    expect(await stale(60_000)).toContain(id)
  })

  test('a transaction that throws leaves nothing', async () => {
    const id = fresh('p')
    const failing = store.tx(async (tx) => {
      await tx.people.insert({ id, name: id, role: 'member' })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await store.people.byId(id)).toBeUndefined()
  })
})
