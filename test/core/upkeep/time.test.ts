import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { nextTime } from '../../../src/core/containers/cron.ts'
import { expire, fireSchedules } from '../../../src/core/upkeep/clock.ts'
import { stopIdle } from '../../../src/core/upkeep/idle.ts'
import type { Upkeep } from '../../../src/core/upkeep/reconcile.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { systemAsker } from '../../../src/core/operation/asker.ts'
import { createWorld, type World } from '../door/world.ts'
import { until } from '../../setup/until.ts'

const hour = 3_600_000
let world: World
let upkeep: Upkeep
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld({ settings: { idleStop: 4 * hour } })
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  upkeep = { works: world.works, runner: world.runner, log }
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

let count = 0
/** A container of a name of its own, so that one test says nothing to another. */
const made = async (more = '') => {
  const name = `box${++count}`
  const reply = await world.say(alice!, `create ${name} --image debian -m 64m --cpus 0.1 --pids-limit 32 ${more}`)
  expect(reply.error, reply.text).toBeUndefined()
  return world.container(alice!, name)
}
/** Moves what is written about a container's past, by the database's own clock. */
const past = (id: string, changes: string) => world.sql(`update containers set ${changes} where id = '${id}'`)
const notices = async (id: string) =>
  (
    await world.rows<{ text: string }>(`select text from notices where key like '%${id}%' order by created_at, key`)
  ).map((row) => row.text)
const ended = async (id: string) => {
  await expect.poll(() => world.store.operations.openOn(`container:${id}`)).toBeUndefined()
  return world.store.containers.byId(id)
}

describe('ttl, extend', () => {
  test('one whose end is past is removed, with a row of the audit log and a word to its owner; others stay', async () => {
    const [short, long, other] = [await made('--ttl 1h'), await made('--ttl 7d'), await made()]
    expect(short.expiresAt!.getTime() - Date.now()).toBeGreaterThan(hour - 60_000)
    await expire(upkeep, 'local')
    expect(await ended(short.id)).toBeDefined()
    await past(short.id, "expires_at = now() - interval '1 second'")
    await expire(upkeep, 'local')
    expect(await ended(short.id)).toBeUndefined()
    expect(await ended(long.id)).toBeDefined()
    expect(await ended(other.id)).toBeDefined()
    expect(await notices(short.id)).toEqual([
      `${short.name} has come to its end and is removed; /storage and your images are untouched.`,
    ])
    expect((await world.store.audit.read({ limit: 5 }))[0]).toMatchObject({
      surface: 'system',
      command: 'expire',
      target: `alice/${short.name}`,
      decision: 'done',
    })
  })

  test('its owner is told a quarter of an hour before, once', async () => {
    const box = await made('--ttl 7d')
    await past(box.id, "expires_at = now() + interval '10 minutes', created_at = now() - interval '6 days'")
    await expire(upkeep, 'local')
    await expire(upkeep, 'local')
    expect(await notices(box.id)).toEqual([
      expect.stringMatching(/^box\d+ will be removed with everything inside at 20.* UTC\.$/),
    ])
    // More time is another end, which is told of anew.
    await world.say(alice!, `extend ${box.name} 1d`)
    expect((await world.store.containers.byId(box.id))!.expiresAt!.getTime()).toBeGreaterThan(Date.now() + 23 * hour)
  })

  test('more time that is given in the same moment wins, or the removal does; never half of each', async () => {
    const box = await made('--ttl 7d')
    await past(box.id, "expires_at = now() - interval '1 second'")
    const [found] = await world.store.containers.expiring('local', 0)
    expect(found?.id).toBe(box.id)
    await world.say(alice!, `extend ${box.name} 1h`)
    const asker = {
      ownerId: alice!.id,
      actorId: null,
      actorName: null,
      asName: null,
      ...{ surface: 'system', address: null, fingerprint: null },
      command: 'expire',
      target: box.name,
      requestId: 'race',
    }
    await expect(world.runner.begin('remove', { containerId: box.id, expired: true }, asker)).rejects.toThrow(
      'was given more time meanwhile',
    )
    expect(await ended(box.id)).toBeDefined()
  })

  test('--forever takes the end away; what has no end cannot be extended', async () => {
    const box = await made('--ttl 1h')
    expect((await world.say(alice!, `extend ${box.name} --forever`)).data).toMatchObject({ expires_at: null })
    await world.refused(alice!, `extend ${box.name} 1h`, 'conflict')
    for (const line of [`extend ${box.name}`, `extend ${box.name} 1h --forever`])
      await world.refused(alice!, line, 'usage')
  })

  test.each(['0s', '-1h', '1y', 'tomorrow'])('--ttl %s is refused', async (ttl) => {
    await world.refused(alice!, { name: 'create', args: { name: 'never', image: 'debian', ttl } }, 'usage')
  })
})

describe('stopping what is idle', () => {
  const traffic = new Map<string, number>()
  const look = () => stopIdle(upkeep, 'local', traffic)
  beforeEach(() => traffic.clear())
  const quiet = async (more = '') => {
    const box = await made()
    world.host.fake.set(box.engineId!, { load: { cpus: 1, received: 0, sent: 0 } })
    await past(box.id, `started_at = now() - interval '5 hours', created_at = now() - interval '5 hours'${more}`)
    return box
  }

  test('one that ends in that very moment keeps nobody else from being looked at', async () => {
    const boxes = [await quiet(), await quiet()]
    world.host.fake.fail('engine.processes', 'gone')
    const told = async () => (await Promise.all(boxes.map((box) => notices(box.id)))).flat()
    await look()
    expect(await told()).toHaveLength(1)
    await look()
    expect(await told()).toHaveLength(2)
    for (const { name } of boxes) await world.say(alice!, `rm -f ${name}`)
  })

  test('its owner is told first, and it is stopped a quarter of an hour later', async () => {
    const box = await quiet()
    await look()
    await look()
    expect((await ended(box.id))!.state).toBe('running')
    expect(await notices(box.id)).toEqual([
      `${box.name} has not been used for 5h and is stopped in 15m; its files and ports are kept.`,
    ])
    await past(box.id, "warned_at = now() - interval '16 minutes'")
    await look()
    expect(await ended(box.id)).toMatchObject({ state: 'exited', desired: 'exited' })
    expect(await notices(box.id)).toContainEqual(
      expect.stringMatching(/ was stopped, because nobody used it for 5h\.$/),
    )
  })

  test.each([
    ['CPU', (id: string) => world.host.fake.set(id, { load: { cpus: 100 } })],
    ['traffic', (id: string) => world.host.fake.set(id, { load: { received: 1_000_000 } })],
  ])('%s counts as use', async (_, use) => {
    const box = await quiet(", warned_at = now() - interval '20 minutes'")
    // The first look only counts; what was before it is nobody's use.
    await past(box.id, "busy_at = now() - interval '1 minute'")
    await look()
    await past(box.id, 'busy_at = null')
    use(box.engineId!)
    await look()
    expect((await ended(box.id))!.state).toBe('running')
    expect((await world.store.containers.row(box.id))!.busyAt).not.toBeNull()
  })

  test('so does a session through the SSH door, and one at its own port', async () => {
    const [door, port] = [
      await quiet(", warned_at = now() - interval '20 minutes'"),
      await quiet(", warned_at = now() - interval '20 minutes'"),
    ]
    await world.store.sessions.insert(
      {
        id: 'session00001',
        ownerId: alice!.id,
        holder: 'x',
        address: '',
        fingerprint: '',
        doing: 'shell',
        inside: [door.id],
      },
      60_000,
    )
    world.host.fake.set(port.engineId!, {
      processes: [{ uid: '0', cpu: 0, memory: 0, elapsed: '1', command: 'sshd: root@pts/0' }],
    })
    await look()
    expect((await ended(door.id))!.state).toBe('running')
    expect((await ended(port.id))!.state).toBe('running')
    await world.store.sessions.remove('session00001')
    await past(door.id, 'busy_at = null')
    await look()
    expect((await ended(door.id))!.state).toBe('exited')
  })

  test('keep keeps it, until its time is over or it is taken back', async () => {
    const box = await quiet(", warned_at = now() - interval '20 minutes'")
    expect((await world.say(alice!, `keep ${box.name} 8h`)).text).toMatch(/Otherwise that happens after 4h\.$/)
    await look()
    expect((await ended(box.id))!.state).toBe('running')
    await world.say(alice!, `keep ${box.name} --off`)
    await look()
    expect((await ended(box.id))!.state).toBe('exited')
  })

  test('nothing is stopped where the site has not turned it on', async () => {
    const box = await quiet(", warned_at = now() - interval '20 minutes'")
    const { idleStop: _, ...settings } = world.works.settings
    await stopIdle({ ...upkeep, works: { ...world.works, settings } }, 'local', traffic)
    expect((await ended(box.id))!.state).toBe('running')
    await world.say(alice!, `stop ${box.name}`)
  })
})

describe('schedules', () => {
  const due = (id: string, ago = '1 second') =>
    world.sql(`update schedules set next_at = now() - interval '${ago}' where id = '${id}'`)
  const add = async (line: string) => ((await world.say(alice!, line)).data as { id: string }).id

  test('what is due is done once, however many look, and moved on', async () => {
    const box = await made()
    const id = await add(`schedule ${box.name} stop "0 20 * * *"`)
    await due(id)
    await Promise.all([fireSchedules(upkeep), fireSchedules(upkeep), fireSchedules(upkeep)])
    expect(await ended(box.id)).toMatchObject({ state: 'exited' })
    const [row] = await world.store.schedules.of(alice!.id)
    expect(row!.nextAt.getTime()).toBeGreaterThan(Date.now())
    expect(row).toMatchObject({ trouble: null })
    const done = (await world.store.audit.read({ limit: 20 })).filter((one) => one.command === 'schedule stop')
    expect(done).toMatchObject([{ surface: 'system', decision: 'done', target: `alice/${box.name}` }])
    await world.say(alice!, `schedule rm ${id}`)
  })

  test('what cannot be done is told, and the next time comes all the same', async () => {
    const box = await made()
    await world.say(alice!, `stop ${box.name}`)
    const id = await add(`schedule ${box.name} start "0 8 * * mon"`)
    await world.say(world.admin, 'quota set alice running=0')
    await due(id)
    await fireSchedules(upkeep)
    expect((await ended(box.id))!.state).toBe('exited')
    const { data } = await world.say(alice!, 'schedule ls')
    expect(data).toMatchObject([{ id, trouble: expect.stringContaining('running containers') }])
    expect(await notices(id)).toEqual([
      expect.stringMatching(/^The scheduled start of box\d+ could not be done: You may have 0 running containers/),
    ])
    await world.say(world.admin, 'quota unset alice running')
    await due(id)
    await fireSchedules(upkeep)
    expect((await ended(box.id))!.state).toBe('running')
    await world.say(alice!, `schedule rm ${id}`)
  })

  test('a program is run in it, and its owner hears when that fails', async () => {
    const box = await made()
    const id = await add(`schedule ${box.name} run "0 3 * * *" -- false`)
    const run = async (code: number) => {
      world.host.fake.programs(async function* () {
        yield* []
        return code
      })
      await due(id)
      await fireSchedules(upkeep)
      await until('the run to end', async () => (await world.store.operations.countOpen()) === 0)
      await Promise.all([fireSchedules(upkeep), fireSchedules(upkeep)])
    }
    await run(0)
    expect(await notices(id)).toEqual([])
    await run(1)
    const failed = expect.stringMatching(/^The scheduled run in box\d+ failed: .* exit code 1\.$/)
    expect(await notices(id)).toEqual([failed])
    expect((await world.say(alice!, 'schedule ls')).data).toMatchObject([
      { id, verb: 'run', argv: ['false'], trouble: expect.stringContaining('exit code 1') },
    ])
    await world.say(alice!, `stop ${box.name}`)
    await run(0)
    expect((await notices(id)).at(-1)).toContain('could not be done')
    await world.say(alice!, `schedule rm ${id}`)
    for (const line of [`schedule ${box.name} run "0 3 * * *"`, `schedule ${box.name} stop "0 3 * * *" -- ls`])
      await world.refused(alice!, line, 'usage')
  })

  test.each(['stop', 'run'])('S4 those of a suspended member wait: %s', async (verb) => {
    const box = await made()
    const id = await add(`schedule ${box.name} ${verb} "0 3 * * *"${verb === 'run' ? ' -- true' : ''}`)
    let runs = 0
    world.host.fake.programs(async function* () {
      runs++
      yield* []
      return 0
    })
    await due(id)
    await world.say(world.admin, 'user suspend alice')
    await fireSchedules(upkeep)
    expect((await ended(box.id))!.state).toBe('running')
    const wish = { containerId: box.id, argv: ['true'], folder: '/root', lives: 1000 }
    const asker = systemAsker(world.works.random, 'schedule', { ownerId: alice!.id, target: box.name })
    for (const byId of [null, alice!.id])
      await expect(world.runner.consider('exec', { ...wish, byId }, asker)).rejects.toThrow(/is suspended/)
    await world.runner.consider('exec', { ...wish, byId: world.admin.id }, asker)
    expect([runs, await world.store.operations.countOpen(), await notices(id)]).toEqual([0, 0, []])
    await world.say(world.admin, 'user resume alice')
    await fireSchedules(upkeep)
    await expect.poll(() => world.store.operations.countOpen()).toBe(0)
    expect([runs, (await ended(box.id))!.state]).toEqual(verb === 'run' ? [1, 'running'] : [0, 'exited'])
    await world.say(alice!, `schedule rm ${id}`)
  })

  test('M: what came while DCM was away is left out when it is too late for it', async () => {
    const box = await made()
    const id = await add(`schedule ${box.name} stop "0 20 * * *"`)
    await due(id, '2 hours')
    await fireSchedules(upkeep)
    expect((await ended(box.id))!.state).toBe('running')
    expect((await world.say(alice!, 'schedule ls')).data).toMatchObject([
      { trouble: expect.stringContaining('while DCM was away') },
    ])
    await world.say(alice!, `schedule rm ${id}`)
  })

  test("goes with its container; another's is as if it were not there", async () => {
    const box = await made()
    const id = await add(`schedule ${box.name} stop "0 20 * * *"`)
    const strip = (reply: { text: string }, name: string) => reply.text.replace(name, '<it>')
    expect(strip(await world.refused(bob!, `schedule rm ${id}`, 'not_found'), id)).toBe(
      strip(await world.refused(bob!, 'schedule rm nothing', 'not_found'), 'nothing'),
    )
    await world.say(alice!, `rm -f ${box.name}`)
    expect((await world.say(alice!, 'schedule ls')).data).toEqual([])
  })

  test.each(['* * * * * *', '0 25 * * *', 'hourly', '0 0 31 2 *', '0 20 * *', '$(id) * * * *'])(
    '%s is no time table',
    async (cron) => {
      const box = await made()
      await world.refused(alice!, { name: 'schedule', args: { container: box.name, verb: 'stop', cron } }, 'usage')
      await world.say(alice!, `rm -f ${box.name}`)
    },
  )

  test('there is a limit to how many', async () => {
    const box = await made()
    const add = () =>
      world.store.schedules.insert({
        id: `s${++count}`,
        ownerId: alice!.id,
        containerId: box.id,
        verb: 'stop',
        cron: '0 0 * * *',
        zone: 'UTC',
        nextAt: new Date(Date.now() + hour),
      })
    await Promise.all(Array.from({ length: 50 }, add))
    await world.refused(alice!, `schedule ${box.name} stop "0 20 * * *"`, 'limited')
  })
})

describe('nextTime', () => {
  const at = (cron: string, zone: string, after: string) => nextTime(cron, zone, new Date(after)).toISOString()
  test.each([
    ['0 20 * * *', 'UTC', '2026-01-31T21:00:00Z', '2026-02-01T20:00:00.000Z'],
    ['0 20 * * *', 'Europe/Moscow', '2026-01-31T12:00:00Z', '2026-01-31T17:00:00.000Z'],
    ['0 8 * * mon', 'UTC', '2026-02-03T00:00:00Z', '2026-02-09T08:00:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    // The clock goes forward over it in the night of 29 March 2026: it comes when that is over.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
  ])('%s in %s after %s is %s', (cron, zone, after, next) => expect(at(cron, zone, after)).toBe(next))

  test('a zone that there is not is told', () =>
    expect(() => at('0 0 * * *', 'Mars/Olympus', '2026-01-01T00:00:00Z')).toThrow('There is no time zone Mars/Olympus'))
})
