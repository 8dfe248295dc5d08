import { expect } from 'vitest'
import { createDatabase, query, type TestDatabase } from '../setup/postgres.ts'
import { sharedSocket } from '../setup/engine.ts'
import { type EngineCall, type EngineProxy, type Fault, startEngineProxy } from '../stand-ins/engine.ts'
import { agree } from '../e2e/support/agree.ts'
import type { Said } from '../e2e/support/ask.ts'
import { type Dcm, startDcm } from '../e2e/support/dcm.ts'
import type { Member } from '../e2e/support/member.ts'

/** A DCM on PostgreSQL whose every call to the real engine can be met by a fault. */
export type World = AsyncDisposable & {
  dcm: Dcm
  proxy: EngineProxy
  database: TestDatabase
  ada: Member
  ask(statement: string): ReturnType<typeof query>
}

/** A subnet that a DCM beside this one takes first is asked for twice, which is no call of the deed: each worker has its own. */
const env = { DCM_SUBNET_POOL: `10.${210 + Number(process.env['VITEST_POOL_ID'])}.0.0/16` }

/** Starts a world with one member, `ada`, who may publish ports. */
export async function createWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createDatabase())
  const proxy = stack.use(await startEngineProxy({ upstream: sharedSocket }))
  const dcm = stack.use(
    await startDcm({ env, databaseUrl: database.url, dockerHost: proxy.socket, engine: sharedSocket }),
  )
  const ada = await dcm.member('ada')
  await dcm.must('quota set ada containers=10 images=10 memory=8g ports=20 running=10 cpus=10 pids=4000'.split(' '))
  const all = stack.move()
  return {
    dcm,
    proxy,
    database,
    ada,
    ask: (statement) => query(database.url, statement),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Something that a member or an admin does, from a state that it can be repeated from. */
export type Deed = {
  /** Brings about the state in which it makes sense; runs before each try and may find any state. */
  prepare(world: World): Promise<unknown>
  act(world: World): Promise<Said>
  /** Looks at what there is once it has been done again after the fault; throws when it is not right. */
  verify(world: World, again: Said): Promise<unknown>
}

/** Words of the engine's API; everything else in a path is some object's. */
const words = new Set([
  'containers',
  'images',
  'networks',
  'json',
  'create',
  'start',
  'stop',
  'restart',
  'pause',
  'unpause',
  'commit',
  'tag',
  'kill',
  'archive',
  'export',
  'logs',
  'connect',
  'disconnect',
  'dcm',
  'build',
  'wait',
  'load',
])

/** One engine call of a deed, found again in another run of it. */
export type Point = { name: string; method: string; path: RegExp; nth: number; changes: boolean }

/** What DCM asks by itself at any time, which is no part of a deed. */
const idle = ({ method, path, query: asked }: EngineCall): boolean =>
  ['/_ping', '/events', '/version', '/info', '/images/json'].includes(path) ||
  (method === 'GET' && path === '/containers/json' && !asked['filters']?.includes('dcm.owner'))

const shape = (path: string): string =>
  path
    .split('/')
    .map((part) => (part === '' || words.has(part) ? part : '*'))
    .join('/')

/** What was found of the deeds that were done in this world. */
const recorded = new WeakMap<Deed, Promise<Point[]>>()

/** Does a deed once and finds the calls that it makes, so that a call that is new tomorrow is met by faults too. */
async function record(world: World, deed: Deed): Promise<Point[]> {
  // Once before, so that what is made for the first time only, such as a network, is there.
  await deed.prepare(world)
  await deed.act(world)
  await deed.prepare(world)
  world.proxy.clear()
  const said = await deed.act(world)
  expect(said.error, said.text).toBeUndefined()
  const seen = new Map<string, number>()
  const points = world.proxy
    .calls()
    .filter((call) => !idle(call))
    .map((call): Point => {
      const [method, path] = [call.method, shape(call.path)]
      const name = `${method} ${path}`
      const nth = (seen.get(name) ?? 0) + 1
      seen.set(name, nth)
      return {
        name: `${name} ${nth}`,
        method,
        path: new RegExp(`^${path.replaceAll('*', '[^/]+')}$`),
        nth,
        changes: method !== 'GET' && method !== 'HEAD',
      }
    })
  await deed.verify(world, said)
  await agree(world.dcm)
  return points
}

export type Trouble = 'kill' | 'reset' | 'status'

const faults: Record<Trouble, (world: World, where: 'before' | 'after') => Fault> = {
  kill: (world, where) => ({ type: 'kill', pid: () => world.dcm.pid(), where }),
  reset: (_, where) => ({ type: 'reset', where }),
  status: () => ({ type: 'status', status: 500 }),
}

/** The sides of a call on which a trouble makes a difference. */
const sides = (point: Point, trouble: Trouble): readonly ('before' | 'after')[] => {
  if (trouble === 'status') return ['before']
  // A cut before a change is a call that was never made: what that leads to, the 500 shows too.
  if (point.changes) return trouble === 'reset' ? ['after'] : ['before', 'after']
  // A look changes nothing, so for it the two sides are one; a lost answer to it is asked for again.
  return trouble === 'kill' ? ['before'] : []
}

/**
 * Does a deed once for each engine call it makes and each side of that call, and lets the trouble happen there. Afterwards engine, disk and database must agree, and doing it again
 * must end in what doing it once does.
 * @param only leaves out points that another test has
 * @returns what went wrong, a line each; empty when all is well
 */
export async function survive(
  world: World,
  deed: Deed,
  trouble: Trouble,
  only: (point: Point) => boolean = () => true,
): Promise<string[]> {
  if (!recorded.has(deed)) recorded.set(deed, record(world, deed))
  const points = (await recorded.get(deed)!).filter(only)
  expect(points.filter((point) => point.changes).length, 'calls that change something').toBeGreaterThan(0)
  const wrong: string[] = []
  for (const point of points)
    for (const where of sides(point, trouble)) {
      const title = `${trouble} ${where} ${point.name}`
      try {
        await deed.prepare(world)
        world.proxy.clear()
        world.proxy.rule({
          method: point.method,
          path: point.path,
          nth: point.nth,
          action: faults[trouble](world, where),
        })
        const first = await deed.act(world).catch(() => undefined)
        const met = world.proxy.calls().some((call) => call.fault)
        world.proxy.clear()
        // A look may be left out where something else has looked just before; a change is always made.
        if (!met && point.changes) throw new Error(`the call was not made: ${first?.text}`)
        if (met && trouble === 'kill') await world.dcm.restart()
        else await world.dcm.settled()
        await agree(world.dcm)
        const again = await deed.act(world)
        await deed.verify(world, again)
        await agree(world.dcm)
      } catch (error) {
        wrong.push(`${title}: ${String(error)}`)
        await world.dcm.kill9()
        await world.dcm.restart().catch(() => undefined)
      }
    }
  return wrong
}
