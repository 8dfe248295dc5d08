import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGrants } from '../../src/core/people/grants.ts'
import { createKeys } from '../../src/core/people/keys.ts'
import { createPeople } from '../../src/core/people/people.ts'
import { createQuota } from '../../src/core/people/quota.ts'
import { createTokens } from '../../src/core/people/tokens.ts'
import type { Person } from '../../src/core/model/person.ts'
import type { Works } from '../../src/core/operation/define.ts'
import type { Store } from '../../src/core/store/store.ts'
import { removeUser } from '../../src/operations/user.ts'
import { publicKey } from '../setup/keys.ts'
import { addHost, addPerson, containerOf, createEmpty, imageOf, kinds } from './databases.ts'

describe.each(kinds)('%s', (kind) => {
  let store: Store
  let dispose: (() => PromiseLike<void>) | undefined
  beforeAll(async () => {
    const empty = await createEmpty(kind)
    store = empty.store
    dispose = () => empty[Symbol.asyncDispose]()
  })
  afterAll(() => dispose?.())

  const deps = () => ({
    store,
    random: randomBytes,
    onKeys: async () => {},
    storage: async () => 4096,
    measure: async () => {},
  })

  test('N05: whatever is given to a member at the moment they are removed, nothing of it is left', async () => {
    const [keys, tokens, grants, quota] = [
      createKeys(deps()),
      createTokens(deps()),
      createGrants(deps()),
      createQuota(deps()),
    ]
    const admin = await addPerson(store)
    for (let round = 0; round < 10; round++) {
      const person = await addPerson(store)
      const { id } = person
      const leave = () =>
        store.tx((tx) => removeUser.admit(tx, { personId: id, images: true, storage: true }, 'o', {} as Works))
      const outcomes = await Promise.allSettled([
        keys.add(id, publicKey()),
        tokens.add({ ownerId: id, label: 'a', commands: null, containers: null, lives: 60_000 }),
        round % 2 ? leave() : grants.give(person, '', { kind: 'restart-policy' }, undefined, admin),
        round % 2 ? grants.give(person, '', { kind: 'restart-policy' }, undefined, admin) : leave(),
        keys.add(id, publicKey()),
        quota.set(person, { containers: 1 }),
      ])
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'DcmError', code: 'conflict' })
      expect((await store.people.byId(id))!.state).toBe('leaving')
      expect([await store.keys.of(id), await store.tokens.of(id), await store.grants.of(id)]).toEqual([[], [], []])
      await store.people.remove(id)
    }
  })

  test('one key that many members bring at once is one member’s', async () => {
    const keys = createKeys(deps())
    const [text, people] = [publicKey(), await Promise.all(Array.from({ length: 8 }, () => addPerson(store)))]
    const outcomes = await Promise.allSettled(people.map((person) => keys.add(person.id, text)))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' })
  })

  test('one name that many admins add at once is one member', async () => {
    const people = createPeople(deps())
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => people.add({ name: 'many', role: 'member', keys: [publicKey()] })),
    )
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    expect(await store.keys.of((await store.people.byName('many'))!.id)).toHaveLength(1)
  })

  test('of admins who suspend each other in a ring, one stays active', async () => {
    const people = createPeople(deps())
    for (let round = 0; round < 5; round++) {
      const ring: Person[] = []
      for (const name of ['a', 'b', 'c'])
        ring.push((await people.add({ name: `${name}${round}x`, role: 'admin', keys: [] })).person)
      const before = (await store.people.list()).filter(
        (one) => one.role === 'admin' && !ring.some((mine) => mine.id === one.id),
      )
      for (const one of before) await store.people.update(one.id, { role: 'member' })
      await Promise.allSettled(ring.map((person) => people.setState(person, 'suspended')))
      expect((await store.people.list()).filter((one) => one.role === 'admin' && one.state === 'active')).toHaveLength(
        1,
      )
    }
  })

  test('what user rm would take is counted from what there is', async () => {
    const [person, hostId] = [await addPerson(store), await addHost(store)]
    const [web, db] = [containerOf(person.id, hostId, { name: 'web' }), containerOf(person.id, hostId, { name: 'db' })]
    for (const row of [web, db]) await store.containers.insert(row)
    await store.images.insert(imageOf(person.id, hostId, { ref: 'web:v1' }))
    for (const [at, purpose] of (['ssh', 'public', 'public'] as const).entries())
      await store.ports.insert({
        hostId,
        proto: 'tcp',
        hostPort: 22_000 + at,
        containerId: web.id,
        ownerId: person.id,
        containerPort: 22 + at,
        purpose,
      })
    await store.volumes.insert({ id: 'v1', ownerId: person.id, hostId, name: 'data' })
    await createKeys(deps()).add(person.id, publicKey())
    await store.grants.put({ ownerId: person.id, thing: 'restart-policy', grantedBy: 'admin' })
    const guest = await addPerson(store)
    await store.shares.put({ containerId: web.id, guestId: guest.id, level: 'view' }, 60_000)
    expect(await createPeople(deps()).belongings(person)).toEqual({
      containers: ['db', 'web'],
      images: ['web:v1'],
      keys: 1,
      tokens: 0,
      ports: 2,
      volumes: ['data'],
      networks: [],
      grants: ['restart-policy'],
      hooks: [],
      schedules: 0,
      shares: 1,
      storage: 4096,
    })
  })
})
