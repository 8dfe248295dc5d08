import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerWish, ForwardWish, HostEvent } from '../../src/core/host/engine.ts'
import { HostError, type HostFault } from '../../src/core/host/fault.ts'
import type { Host } from '../../src/core/host/host.ts'
import { authorizedKeys, createHostKey, type HostKey } from '../../src/core/secret/keys.ts'
import { until } from '../setup/until.ts'

/** What the suite is run on: a host of its own, an image with sshd in it, and numbers that nobody else uses. */
export type HostUnderTest = {
  host: Host
  instance: string
  imageId: string
  /** First of a few free ports. */
  port: number
  /** First two numbers of free subnets. */
  subnet: string
  close(): Promise<void>
}

const mebi = 1024 ** 2
const limits = { memory: 128 * mebi, cpus: 500, pids: 64 }

/** @returns the fault that a call is refused with; fails when it is not refused. */
export async function faultOf(act: () => Promise<unknown>): Promise<HostFault> {
  try {
    await act()
  } catch (error) {
    expect(error).toBeInstanceOf(HostError)
    return (error as HostError).fault
  }
  throw new Error('It was not refused.')
}

/** Ids that could mean something else in a URL or to the engine's lookup; case C06. */
export const crookedIds = [
  'x?force=1&v=1',
  '../images/y',
  '%2e%2e%2f',
  'a/b',
  'a\0b',
  'a\nb',
  '',
  '.',
  'abc',
  '0123456789ab',
  'F'.repeat(64),
]

/** What every Host has to do; run over the fake and over the real one. */
export function hostContract(kind: string, make: () => Promise<HostUnderTest>): void {
  describe(`a host: ${kind}`, () => {
    let under: HostUnderTest
    let host: Host
    let network: string
    let key: HostKey
    const ownerId = `o${randomBytes(4).toString('hex')}`
    let count = 0

    beforeAll(async () => {
      under = await make()
      host = under.host
      network = `dcm-${under.instance}-net-${ownerId}`
      key = createHostKey()
      await host.engine.createNetwork({
        name: network,
        bridge: `dcm${under.instance}0`,
        subnet: `${under.subnet}.0/26`,
        ownerId,
      })
    })
    afterAll(async () => {
      for (const seen of await host.engine.list()) await host.engine.remove(seen.engineId)
      for (const { engineName } of await host.engine.forwards()) await host.engine.unforward(engineName)
      for (const { name, own } of await host.engine.networks()) if (own) await host.engine.removeNetwork(name)
      for (const { ref } of await host.engine.imageTags()) if (ref.includes('/saved')) await host.engine.untag(ref)
      const { runs, storages } = await host.files.list()
      for (const id of runs) await host.files.removeRun(id)
      for (const id of storages) await host.files.removeStorage(id)
      await under.close()
    })

    const wish = async (more: Partial<ContainerWish> = {}): Promise<ContainerWish> => {
      const id = more.id ?? `c${randomBytes(4).toString('hex')}`
      const storage = await host.files.ensureStorage(ownerId, 64 * mebi)
      const run = await host.files.placeRun({ id, hostKey: key.privateKey, authorizedKeys: '' })
      return {
        engineName: `dcm-${under.instance}-${id}`,
        id,
        ownerId,
        name: `web${count++}`,
        network,
        imageId: under.imageId,
        env: [],
        command: [],
        restart: { name: 'no' },
        limits,
        caps: [],
        devices: [],
        seccomp: null,
        ports: [{ container: 22, proto: 'tcp', host: under.port }],
        mounts: { run, storage: storage.path },
        ssh: true,
        ...more,
      }
    }
    const create = async (more: Partial<ContainerWish> = {}) => {
      const wanted = await wish(more)
      return { ...wanted, ...(await host.engine.create(wanted)) }
    }

    test('create: the container is found by name, by id and in the list, and does not run', async () => {
      const made = await create()
      expect(made.engineId).toMatch(/^[0-9a-f]{64}$/)
      const seen = await host.engine.inspect(made.engineId)
      expect(seen).toMatchObject({
        engineId: made.engineId,
        engineName: made.engineName,
        id: made.id,
        state: 'created',
        imageId: under.imageId,
        startedAt: null,
      })
      expect(seen.aliases).toContain(made.name)
      expect(await host.engine.find(made.engineName)).toMatchObject({ engineId: made.engineId })
      expect(await host.engine.find(`dcm-${under.instance}-nobody`)).toBeUndefined()
      expect((await host.engine.list()).find((one) => one.engineId === made.engineId)).toMatchObject({
        id: made.id,
        state: 'created',
      })
      await host.engine.remove(made.engineId)
    })

    test('create: the same wish again is adopted; another id under the name is refused; other ports replace what never ran', async () => {
      const first = await wish()
      const { engineId } = await host.engine.create(first)
      expect(await host.engine.create(first)).toEqual({ engineId })
      const other = await wish()
      expect(await faultOf(() => host.engine.create({ ...other, engineName: first.engineName }))).toBe('taken')
      const moved = await host.engine.create({
        ...first,
        ports: [{ container: 22, proto: 'tcp', host: under.port + 1 }],
      })
      expect(moved.engineId).not.toBe(engineId)
      expect(await faultOf(() => host.engine.inspect(engineId))).toBe('gone')
      await host.engine.start(moved.engineId)
      // It has run now, so what is in it is a member's.
      expect(await faultOf(() => host.engine.create(first))).toBe('taken')
      await host.engine.remove(moved.engineId)
    })

    test('create: an image or a folder that is not there, or a name of another instance, is refused', async () => {
      const good = await wish()
      expect(await faultOf(() => host.engine.create({ ...good, imageId: `sha256:${'0'.repeat(64)}` }))).toBe('gone')
      expect(await faultOf(() => host.engine.create({ ...good, engineName: 'dcm-other-x' }))).toBe('refused')
      expect(await faultOf(() => host.engine.create({ ...good, engineName: '0123456789ab' }))).toBe('refused')
      expect(await faultOf(() => host.engine.create({ ...good, mounts: { ...good.mounts, storage: '/etc' } }))).toBe(
        'refused',
      )
      await host.files.removeRun(good.id)
      expect(await faultOf(() => host.engine.create(good))).toBe('refused')
      expect(await host.engine.find(good.engineName)).toBeUndefined()
    })

    test('start, greet, pause, unpause, stop: each may be asked twice', async () => {
      const made = await create()
      await host.engine.start(made.engineId)
      await host.engine.start(made.engineId)
      expect(await host.net.greet(under.port, key.fingerprint, 20_000)).toEqual({ ok: true })
      expect(await host.net.greet(under.port, createHostKey().fingerprint, 20_000)).toMatchObject({ ok: false })
      expect(await host.net.portFree(under.port, 'tcp')).toBe(false)
      const running = await host.engine.inspect(made.engineId)
      expect(running).toMatchObject({ state: 'running', finishedAt: null })
      expect(running.startedAt).toBeInstanceOf(Date)
      await host.engine.pause(made.engineId)
      await host.engine.pause(made.engineId)
      expect((await host.engine.inspect(made.engineId)).state).toBe('paused')
      await host.engine.unpause(made.engineId)
      await host.engine.unpause(made.engineId)
      expect((await host.engine.inspect(made.engineId)).state).toBe('running')
      await host.engine.stop(made.engineId, 10)
      await host.engine.stop(made.engineId, 10)
      const ended = await host.engine.inspect(made.engineId)
      expect(ended).toMatchObject({ state: 'exited', exitCode: 0 })
      expect(ended.finishedAt).toBeInstanceOf(Date)
      expect(await host.net.portFree(under.port, 'tcp')).toBe(true)
      await host.engine.remove(made.engineId)
      await host.engine.remove(made.engineId)
      expect(await faultOf(() => host.engine.inspect(made.engineId))).toBe('gone')
    })

    test('start: a port that another container holds is said to be taken, and works once it is free', async () => {
      const holder = await create()
      await host.engine.start(holder.engineId)
      const made = await create()
      expect(await faultOf(() => host.engine.start(made.engineId))).toBe('taken')
      expect((await host.engine.inspect(made.engineId)).state).toBe('created')
      await host.engine.remove(holder.engineId)
      await host.engine.start(made.engineId)
      expect((await host.engine.inspect(made.engineId)).state).toBe('running')
      await host.engine.remove(made.engineId)
    })

    test('greet: says why when nothing answers, and gives up when told', async () => {
      expect(await host.net.greet(under.port, key.fingerprint, 50)).toMatchObject({
        ok: false,
        why: expect.any(String),
      })
      expect(await host.net.greet(under.port, key.fingerprint, 20_000, AbortSignal.abort())).toMatchObject({
        ok: false,
      })
    })

    test('alias: a stopped container gets other names on its network', async () => {
      const made = await create()
      for (const names of [['renamed', 'other'], ['renamed', 'other'], ['renamed']])
        await host.engine.alias(made.engineId, network, names)
      expect((await host.engine.inspect(made.engineId)).aliases?.[0]).toBe('renamed')
      await host.engine.alias(made.engineId, network, ['again', 'store'])
      expect((await host.engine.inspect(made.engineId)).aliases?.slice(0, 2)).toEqual(['again', 'store'])
      await host.engine.remove(made.engineId)
    })

    test('alias, leave: a running container joins another network and leaves it, and the first stays', async () => {
      const made = await create()
      await host.engine.start(made.engineId)
      const other = {
        name: `dcm-${under.instance}-net-b`,
        bridge: `dcm${under.instance}b`,
        subnet: `${under.subnet}.128/26`,
      }
      await host.engine.createNetwork({ ...other, ownerId })
      await host.engine.alias(made.engineId, other.name, [made.name])
      await host.engine.alias(made.engineId, other.name, [made.name])
      expect((await host.engine.inspect(made.engineId)).networks?.toSorted()).toEqual([network, other.name].toSorted())
      await host.engine.leave(made.engineId, other.name)
      await host.engine.leave(made.engineId, other.name)
      expect(await host.engine.inspect(made.engineId)).toMatchObject({ state: 'running', networks: [network] })
      expect(await host.net.greet(under.port, key.fingerprint, 20_000)).toEqual({ ok: true })
      await host.engine.removeNetwork(other.name)
      expect(await faultOf(() => host.engine.alias(made.engineId, other.name, [made.name]))).toBe('refused')
      await host.engine.remove(made.engineId)
    })

    test('commit: an image of its own tag, which blanks the variables that were named', async () => {
      const made = await create({ env: ['SECRET=hunter2', 'KEPT=yes'] })
      const ref = `dcm/${under.instance}/saved:v1`
      const image = await host.engine.commit(made.engineId, {
        ref,
        message: 'a note',
        author: 'alice',
        blankEnv: ['SECRET'],
      })
      expect(image.engineId).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(image.env).toContain('KEPT=yes')
      expect(image.env.join('\n')).not.toContain('hunter2')
      expect(await host.engine.image(ref)).toEqual(image)
      expect(await host.engine.image(image.engineId)).toEqual(image)
      expect(await host.engine.imageTags()).toContainEqual({ ref, engineId: image.engineId })
      const copy = await create({ imageId: image.engineId })
      await host.engine.tag(image.engineId, `dcm/${under.instance}/saved2:v1`)
      await host.engine.untag(ref)
      expect(await host.engine.image(ref)).toBeUndefined()
      expect(await faultOf(() => host.engine.untag(`dcm/${under.instance}/saved2:v1`))).toBe('taken')
      await host.engine.remove(copy.engineId)
      await host.engine.untag(`dcm/${under.instance}/saved2:v1`)
      await host.engine.untag(`dcm/${under.instance}/saved2:v1`)
      expect(await host.engine.image(image.engineId)).toBeUndefined()
      await host.engine.remove(made.engineId)
    })

    test('look: what runs inside, what it takes and what it changed; nothing of one that does not run', async () => {
      const made = await create({ ports: [] })
      expect(await faultOf(() => host.engine.processes(made.engineId))).not.toBe('gone')
      expect(await host.engine.load(made.engineId)).toBeUndefined()
      await host.engine.start(made.engineId)
      const processes = await host.engine.processes(made.engineId)
      expect(processes.length).toBeGreaterThan(0)
      expect(processes[0]).toMatchObject({ uid: '0', cpu: expect.any(Number), memory: expect.any(Number) })
      expect(processes[0]!.command).not.toBe('')
      const load = await host.engine.load(made.engineId)
      expect(load).toMatchObject({ cpus: expect.any(Number), received: expect.any(Number), sent: expect.any(Number) })
      expect(load!.memory).toBeGreaterThan(0)
      expect(load!.memory).toBeLessThanOrEqual(limits.memory)
      expect(load!.pids).toBeGreaterThan(0)
      const { changes, total } = await host.engine.changes(made.engineId, 2)
      expect(changes.length).toBe(Math.min(2, total))
      for (const id of crookedIds) expect(await faultOf(() => host.engine.processes(id))).toBe('refused')
      const nobody = 'f'.repeat(64)
      for (const call of [
        () => host.engine.processes(nobody),
        () => host.engine.changes(nobody, 1),
        () => host.engine.load(nobody),
      ])
        expect(await faultOf(call)).toBe('gone')
      await host.engine.remove(made.engineId)
    })

    test('kill and update: a signal ends it or does not, limits change where it stands, and a bad one is refused', async () => {
      const made = await create({ ports: [] })
      expect(await faultOf(() => host.engine.kill(made.engineId, 'TERM'))).toBe('taken')
      await host.engine.start(made.engineId)
      await host.engine.update(made.engineId, { memory: 192 * mebi, cpus: 250, pids: 32 })
      expect(await faultOf(() => host.engine.update(made.engineId, { ...limits, memory: mebi }))).toBe('refused')
      await host.engine.kill(made.engineId, 'WINCH')
      expect((await host.engine.inspect(made.engineId)).state).toBe('running')
      await host.engine.kill(made.engineId, 'KILL')
      await expect
        .poll(async () => (await host.engine.inspect(made.engineId)).state, { timeout: 20_000 })
        .toBe('exited')
      expect((await host.engine.inspect(made.engineId)).exitCode).toBe(137)
      expect(await faultOf(() => host.engine.kill(made.engineId, 'KILL'))).toBe('taken')
      await host.engine.remove(made.engineId)
    })

    test('images: what is inside tells names of variables and the layers it was made from', async () => {
      const base = await host.engine.inside(under.imageId)
      expect(base).toMatchObject({ os: 'linux', triggers: 0 })
      expect(base.arch).toMatch(/^[a-z0-9]+(\/v\d)?$/)
      const made = await create({ env: ['SECRET=hunter2'] })
      const ref = `dcm/${under.instance}/saved3:v1`
      const image = await host.engine.commit(made.engineId, { ref, message: '', author: 'alice', blankEnv: [] })
      const inside = await host.engine.inside(image.engineId)
      expect(inside.env).toContain('SECRET')
      expect(JSON.stringify(inside)).not.toContain('hunter2')
      expect(inside.chain.slice(0, base.chain.length)).toEqual(base.chain)
      expect(await faultOf(() => host.engine.inside(`sha256:${'0'.repeat(64)}`))).toBe('gone')
      await host.engine.untag(ref)
    })

    test("images: a name outside the instance's own part is refused, and what is not there is told apart", async () => {
      for (const ref of [
        'debian:bookworm-slim',
        'dcm/other/x:1',
        `dcm/${under.instance}`,
        `dcm/${under.instance}/../x`,
        'abcdef012345',
      ]) {
        expect(await faultOf(() => host.engine.untag(ref))).toBe('refused')
        expect(await faultOf(() => host.engine.tag(under.imageId, ref))).toBe('refused')
      }
      expect(await host.engine.image(`dcm/${under.instance}/nothing:1`)).toBeUndefined()
      expect(await host.engine.imageHas(under.imageId, ['/nothing', '/usr/sbin/sshd'])).toBe(true)
      expect(await host.engine.imageHas(under.imageId, ['/nothing'])).toBe(false)
    })

    test('networks: made twice is one, a subnet in use is taken, and one with containers stays', async () => {
      const own = {
        name: `dcm-${under.instance}-net-two`,
        bridge: `dcm${under.instance}2`,
        subnet: `${under.subnet}.64/26`,
        ownerId: 'two',
      }
      await host.engine.createNetwork(own)
      await host.engine.createNetwork(own)
      expect((await host.engine.networks()).filter((one) => one.name === own.name)).toEqual([
        { name: own.name, subnets: [own.subnet], own: true },
      ])
      expect(await faultOf(() => host.engine.createNetwork({ ...own, ownerId: 'three' }))).toBe('taken')
      const overlap = {
        ...own,
        name: `dcm-${under.instance}-net-four`,
        bridge: `dcm${under.instance}4`,
        ownerId: 'four',
      }
      expect(await faultOf(() => host.engine.createNetwork(overlap))).toBe('taken')
      const made = await create({ network: own.name, ownerId: 'two' })
      expect(await faultOf(() => host.engine.removeNetwork(own.name))).toBe('taken')
      await host.engine.remove(made.engineId)
      await host.engine.removeNetwork(own.name)
      await host.engine.removeNetwork(own.name)
      expect((await host.engine.networks()).map((one) => one.name)).not.toContain(own.name)
    })

    test('forward: hands a port on beside a container, is adopted or replaced, and is in no list of members', async () => {
      const made = await create()
      await host.engine.start(made.engineId)
      const port = under.port + 2
      const engineName = `dcm-${under.instance}-port-tcp-${port}`
      const way: ForwardWish = {
        ...{ engineName, ownerId, network, target: made.engineName },
        ...{ container: 22, proto: 'tcp', host: port, reach: 'site' },
      }
      await host.engine.forward(way)
      await host.engine.forward(way)
      expect(await host.net.greet(port, key.fingerprint, 20_000)).toEqual({ ok: true })
      expect(await host.engine.forwards()).toEqual([{ engineName, target: made.engineName, running: true }])
      expect((await host.engine.list()).map((seen) => seen.engineName)).not.toContain(engineName)
      expect(await faultOf(() => host.engine.removeNetwork(network))).toBe('taken')
      // Another container beside it gets the port of the first, under the same name.
      const other = await create({ ports: [] })
      await host.engine.forward({ ...way, target: other.engineName })
      expect(await host.engine.forwards()).toEqual([{ engineName, target: other.engineName, running: true }])
      expect(await host.net.greet(port, key.fingerprint, 50)).toMatchObject({ ok: false })
      const second = { ...way, engineName: `dcm-${under.instance}-port-tcp-${port + 1}` }
      expect(await faultOf(() => host.engine.forward(second))).toBe('taken')
      expect(await host.engine.forwards()).toHaveLength(1)
      expect(await faultOf(() => host.engine.forward({ ...way, engineName: made.engineName }))).toBe('refused')
      expect(await faultOf(() => host.engine.forward({ ...second, host: port + 1, network: `${network}x` }))).toBe(
        'refused',
      )
      await host.engine.unforward(engineName)
      await host.engine.unforward(engineName)
      expect(await host.engine.forwards()).toEqual([])
      for (const { engineId } of [made, other]) await host.engine.remove(engineId)
    })

    test('events: what happens to its containers, in order, until the signal', async () => {
      const stop = new AbortController()
      const ready = Promise.withResolvers<void>()
      const events: HostEvent[] = []
      const over = (async () => {
        for await (const event of host.engine.events(stop.signal, ready.resolve)) events.push(event)
      })()
      await ready.promise
      const made = await create()
      await host.engine.start(made.engineId)
      await host.engine.pause(made.engineId)
      await host.engine.unpause(made.engineId)
      await host.engine.stop(made.engineId, 10)
      const { exitCode } = await host.engine.inspect(made.engineId)
      await host.engine.remove(made.engineId)
      await until('the last event', () => events.some((event) => event.kind === 'destroy'))
      stop.abort()
      await over
      const mine = events.filter((event) => event.id === made.id)
      expect(mine.every((event) => event.engineId === made.engineId && event.at instanceof Date)).toBe(true)
      const kinds = mine.map((event) => event.kind).filter((name) => name !== 'kill' && name !== 'stop')
      expect(kinds).toEqual(['create', 'start', 'pause', 'unpause', 'die', 'destroy'])
      expect(exitCode).toEqual(expect.any(Number))
      expect(mine.find((event) => event.kind === 'die')?.exitCode).toBe(exitCode)
    })

    test('run folders: placed again is renewed, keys can be replaced, removed twice is gone', async () => {
      const folder = { id: 'folder1', hostKey: key.privateKey, authorizedKeys: '' }
      const path = await host.files.placeRun(folder)
      expect(await host.files.placeRun(folder)).toBe(path)
      await host.files.writeKeys(
        'folder1',
        authorizedKeys([{ type: 'ssh-ed25519', blob: key.publicKey.split(' ')[1]! }]),
      )
      expect((await host.files.list()).runs).toContain('folder1')
      await host.files.removeRun('folder1')
      await host.files.removeRun('folder1')
      expect((await host.files.list()).runs).not.toContain('folder1')
      expect(await faultOf(() => host.files.writeKeys('folder1', ''))).toBe('gone')
      expect(await faultOf(() => host.files.writeSecrets('folder1', {}))).toBe('gone')
    })

    test('devices: one that is there, and one that is not', async () => {
      expect(await host.files.device('/dev/null')).toBe('device')
      expect(await host.files.device('/dev/no-such')).toBe('nothing')
    })

    test('storages: made again is the same and may grow, removed twice is gone', async () => {
      expect(await host.files.storage('nobody')).toBeUndefined()
      const made = await host.files.ensureStorage('some', 32 * mebi)
      expect(made.limit).toBe(32 * mebi)
      const grown = await host.files.ensureStorage('some', 48 * mebi)
      expect(grown).toMatchObject({ path: made.path, hard: made.hard, limit: 48 * mebi })
      expect(await host.files.storage('some')).toMatchObject({ path: made.path, limit: 48 * mebi })
      expect((await host.files.list()).storages).toContain('some')
      await host.files.removeStorage('some')
      await host.files.removeStorage('some')
      expect(await host.files.storage('some')).toBeUndefined()
      expect((await host.files.list()).storages).not.toContain('some')
    })

    test('volumes: a folder beside the storage, mounted where it was wished and by nobody but its owner', async () => {
      const first = await wish({ ports: [] })
      const source = await host.files.ensureVolume(ownerId, 'vol1')
      expect(await host.files.ensureVolume(ownerId, 'vol1')).toBe(source)
      expect(source.startsWith(first.mounts.storage!)).toBe(false)
      const mounted = (volume: { source: string; path: string; readOnly: boolean }) =>
        host.engine.create({ ...first, mounts: { ...first.mounts, volumes: [volume] } })
      const made = await mounted({ source, path: '/srv/data', readOnly: true })
      await host.engine.remove(made.engineId)
      const other = source.replace(`/${ownerId}/`, '/other/')
      expect(await faultOf(() => mounted({ source: other, path: '/srv', readOnly: false }))).toBe('refused')
      expect(await faultOf(() => mounted({ source: `${source}x`, path: '/srv', readOnly: false }))).toBe('refused')
      expect(await faultOf(() => mounted({ source: '/etc', path: '/srv', readOnly: false }))).toBe('refused')
      expect(await faultOf(() => mounted({ source: `${source}/../../data`, path: '/srv', readOnly: false }))).toBe(
        'refused',
      )
      await host.files.removeVolume(ownerId, 'vol1')
      await host.files.removeVolume(ownerId, 'vol1')
      expect(await faultOf(() => mounted({ source, path: '/srv', readOnly: false }))).toBe('refused')
      expect(await faultOf(() => host.files.ensureVolume('nobody', 'vol1'))).toBe('refused')
    })

    test('C06: an id that is none never reaches the engine', async () => {
      for (const id of crookedIds) {
        const acts = [
          () => host.engine.inspect(id),
          () => host.engine.start(id),
          () => host.engine.stop(id, 1),
          () => host.engine.pause(id),
          () => host.engine.remove(id),
          () => host.engine.commit(id, { ref: `dcm/${under.instance}/saved:x`, message: '', author: '', blankEnv: [] }),
        ]
        for (const act of acts) expect(await faultOf(act)).toBe('refused')
      }
    })

    test('what the machine has: sizes, free space, ports and routes', async () => {
      const made = await create()
      expect((await host.engine.layerSizes()).get(made.engineId)).toBeGreaterThanOrEqual(0)
      await host.engine.remove(made.engineId)
      await host.engine.ping()
      const info = await host.engine.info()
      expect(info.cpus).toBeGreaterThan(0)
      expect(info.memory).toBeGreaterThan(mebi)
      const free = await host.files.free()
      expect(free.engine).toBeLessThanOrEqual(free.engineTotal)
      expect(free.data).toBeLessThanOrEqual(free.dataTotal)
      const range = await host.net.ephemeralPorts()
      expect(range.low).toBeLessThan(range.high)
      for (const route of await host.net.routes()) expect(route).toMatch(/^[\d.]+\/\d+$/)
    })
  })
}
