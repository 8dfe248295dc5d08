import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lockMember } from '../../src/core/containers/admit.ts'
import type { DcmError } from '../../src/core/reply/error.ts'
import { openEmbedded, openPostgres } from '../../src/core/store/open.ts'
import { createStore, type Store } from '../../src/core/store/store.ts'
import { createDatabase, query, startPostgres, type TestDatabase } from '../setup/postgres.ts'
import { createLink, type Link } from '../stand-ins/tcp.ts'
import { addHost, addPerson, containerOf, fresh, refusalOf } from './databases.ts'
import { until } from '../setup/until.ts'

const unavailable = expect.objectContaining({ name: 'DcmError', code: 'unavailable' }) as DcmError

const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

/** Asks until the database answers again. */
async function untilBack(store: Store): Promise<void> {
  await until('the database to answer', () =>
    store.people.list().then(
      () => true,
      () => false,
    ),
  )
}

describe('M02: PostgreSQL behind a link that fails', () => {
  let database: TestDatabase
  let link: Link
  let store: Store
  beforeAll(async () => {
    database = await createDatabase()
    const url = new URL(database.url)
    link = await createLink(Number(url.port))
    url.port = String(link.port)
    store = createStore(await openPostgres(url.href, 4), 1000)
  })
  afterAll(async () => {
    link.flow()
    await store.close()
    await link[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })

  test('a link that goes silent is given up after the deadline, and dialled anew', async () => {
    await store.people.list()
    const before = link.open()
    expect(before).toBeGreaterThan(0)
    link.stall()
    const refusals = await Promise.all(Array.from({ length: 12 }, () => refusalOf(store.people.list())))
    for (const refusal of refusals) expect(refusal).toEqual(unavailable)
    link.flow()
    await untilBack(store)
  })

  test('a transaction that is caught in it leaves nothing, not even its locks', async () => {
    const { id } = await addPerson(store)
    const caught = store.tx(async (tx) => {
      await tx.people.lockUsage(id)
      await tx.people.update(id, { role: 'admin' })
      link.stall()
      await tx.people.update(id, { state: 'suspended' })
    })
    expect(await refusalOf(caught)).toEqual(unavailable)
    link.flow()
    await untilBack(store)
    expect(await store.people.byId(id)).toMatchObject({ role: 'member', state: 'active' })
    for (let tries = 0; ; tries++) {
      try {
        await store.tx((tx) => tx.people.lockUsage(id))
        break
      } catch (error) {
        if (tries >= 20) throw error
      }
    }
  })

  test('a link that is cut is an answer at once, and the next call dials', async () => {
    const { id } = await addPerson(store)
    const cut = store.tx(async (tx) => {
      await tx.people.update(id, { role: 'admin' })
      link.cut()
      await tx.people.update(id, { state: 'suspended' })
    })
    expect(await refusalOf(cut)).toEqual(unavailable)
    await untilBack(store)
    expect(await store.people.byId(id)).toMatchObject({ role: 'member', state: 'active' })
  })
})

test('M01: a server that goes away and comes back is said to be away meanwhile', async () => {
  await using server = await startPostgres()
  const store = createStore(await openPostgres(server.url))
  try {
    const { id } = await addPerson(store)
    await server.stop()
    expect(await refusalOf(store.people.list())).toEqual(unavailable)
    expect(await refusalOf(store.tx((tx) => tx.people.list()))).toEqual(unavailable)
    await server.start()
    await untilBack(store)
    expect(await store.people.byId(id)).toBeDefined()
  } finally {
    await store.close()
  }
})

test('two first starts on one database migrate it once', async () => {
  await using database = await createDatabase()
  const stores = (await Promise.all(Array.from({ length: 4 }, () => openPostgres(database.url, 2)))).map((opened) =>
    createStore(opened),
  )
  try {
    const { id } = await addPerson(stores[0]!)
    for (const store of stores) expect(await store.people.byId(id)).toBeDefined()
  } finally {
    await Promise.all(stores.map((store) => store.close()))
  }
})

test('M08: transactions that lock each other out are run again, and both succeed', async () => {
  await using database = await createDatabase()
  const store = createStore(await openPostgres(database.url, 4))
  try {
    const [first, second] = [await addPerson(store), await addPerson(store)]
    let waiting = 2
    let open = () => {}
    const both = new Promise<void>((resolve) => (open = resolve))
    let runs = 0
    const cross = (one: string, other: string) =>
      store.tx(async (tx) => {
        runs++
        await tx.people.lockUsage(one)
        if (--waiting <= 0) open()
        await both
        await tx.people.lockUsage(other)
        await tx.people.update(one, { role: 'admin' })
      })
    await Promise.all([cross(first.id, second.id), cross(second.id, first.id)])
    expect(runs).toBe(3)
    for (const { id } of [first, second]) expect(await store.people.byId(id)).toMatchObject({ role: 'admin' })
  } finally {
    await store.close()
  }
})

test('M08: so is a statement on its own', async () => {
  await using database = await createDatabase()
  const store = createStore(await openPostgres(database.url, 4))
  try {
    const { id: owner } = await addPerson(store)
    const row = containerOf(owner, await addHost(store), { desired: 'running' })
    const { id } = row
    await store.containers.insert(row)
    let removed: Promise<unknown> | undefined
    await store.tx(async (tx) => {
      await tx.people.lockUsage(owner)
      // It locks the container's row, and what counts it waits for the lock above: it is the first to see that neither can go on.
      removed ??= store.containers.remove(id)
      await until('the removal to wait', async () => (await query(database.url, waiting)).length === 1)
      await tx.containers.update(id, { trouble: 'none' })
    })
    await removed
    expect(await store.containers.byId(id)).toBeUndefined()
  } finally {
    await store.close()
  }
})

test('M04: two hundred at once on five connections, half of them in line for one member, all end', async () => {
  await using database = await createDatabase()
  const store = createStore(await openPostgres(database.url, 5))
  try {
    const { id } = await addPerson(store)
    const admit = () =>
      store.tx(async (tx) => {
        await lockMember(tx, id)
        const { memory } = (await tx.people.usage(id))!
        await tx.people.setUsage(id, { memory: memory + 1 })
      })
    await Promise.all(Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? admit() : store.containers.visible(id))))
    expect(await store.people.usage(id)).toMatchObject({ memory: 100 })
  } finally {
    await store.close()
  }
})

test('the embedded database is still there after it was closed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-test-embedded-'))
  try {
    const first = createStore(await openEmbedded(join(folder, 'db')))
    const name = fresh('p')
    await first.people.insert({ id: fresh('p'), name, role: 'member' })
    await first.close()
    const second = createStore(await openEmbedded(join(folder, 'db')))
    expect(await second.people.byName(name)).toBeDefined()
    await second.close()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
