import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
})
afterAll(() => world[Symbol.asyncDispose]())

const made = async (who: Person, name: string, more = '') => {
  const reply = await world.say(who, `create ${name} --image debian -m 64m --cpus 0.1 --pids-limit 32 ${more}`)
  expect(reply.error, reply.text).toBeUndefined()
  return world.container(who, name)
}

describe('top, stats and diff', () => {
  test('show what the engine says of one that runs', async () => {
    const web = await made(alice!, 'web', '-- sleep 9')
    world.host.fake.set(web.engineId!, { load: { cpus: 250, memory: 32 * 2 ** 20, pids: 4, received: 2048, sent: 10 } })
    expect((await world.say(alice!, 'top web')).table?.rows).toEqual([['0', '0.5%', '1m', '00:01', 'sleep 9']])
    const { data, table } = await world.say(alice!, 'stats web')
    expect(data).toEqual([
      {
        name: 'web',
        owner: 'alice',
        state: 'running',
        cpus: 0.25,
        cpus_limit: 0.1,
        memory: 32 * 2 ** 20,
        memory_limit: 64 * 2 ** 20,
        pids: 4,
        pids_limit: 32,
        received: 2048,
        sent: 10,
      },
    ])
    expect(table?.rows).toEqual([['web', '0.25 of 0.1', '32m of 64m', '4 of 32', '2k in, 10b out']])
  })

  test('diff is capped, and leaves out what DCM puts there', async () => {
    const web = await world.container(alice!, 'web')
    const files = Array.from({ length: 300 }, (_, at) => ({ kind: 'added' as const, path: `/srv/${at}` }))
    world.host.fake.set(web.engineId!, {
      changes: [
        { kind: 'added', path: '/run/dcm' },
        { kind: 'added', path: '/storage' },
        ...files,
        { kind: 'deleted', path: '/etc/motd' },
      ],
    })
    const reply = await world.say(alice!, 'diff web --limit 3')
    expect(reply).toMatchObject({
      text: '301 paths in web differ from its image. These are the first 3; --limit shows more.',
      data: { total: 301 },
    })
    expect(reply.table?.rows).toEqual([
      ['A', '/srv/0'],
      ['A', '/srv/1'],
      ['A', '/srv/2'],
    ])
    expect((await world.say(alice!, 'diff web --limit 5000')).table?.rows.at(-1)).toEqual(['D', '/etc/motd'])
  })

  test('one that does not run has no processes and takes nothing', async () => {
    await world.say(alice!, 'stop web')
    expect(await world.say(alice!, 'top web')).toMatchObject({
      error: 'conflict',
      text: 'web is not running, so nothing runs inside.',
    })
    expect((await world.say(alice!, 'stats')).data).toMatchObject([
      { name: 'web', cpus: null, memory: null, pids: null },
    ])
  })

  test('stats asks for several at once, and one that ended meanwhile does not spoil the rest', async () => {
    await world.say(alice!, 'start web')
    await made(alice!, 'db')
    world.host.fake.fail('engine.load', 'gone')
    expect(((await world.say(alice!, 'stats')).data as { cpus: unknown }[]).map((one) => one.cpus)).toEqual([
      null,
      0.25,
    ])
    world.host.fake.away(true)
    expect(await world.say(alice!, 'stats')).toMatchObject({ error: 'unavailable' })
    world.host.fake.away(false)
    await world.say(alice!, 'rm -f db')
  })
})

describe('events', () => {
  test('are what happened to what is theirs, and nothing of others', async () => {
    await made(bob!, 'vault')
    await world.say(world.admin, 'restart alice/web')
    await world.say(alice!, 'note web hello')
    const rows = async (who: Person, line: string) =>
      (await world.say(who, line)).data as { what: string; by: string | null; target: string | null }[]
    const mine = await rows(alice!, 'events web')
    expect(mine[0]).toMatchObject({ what: 'note', by: 'alice' })
    expect(mine[1]).toMatchObject({ what: 'restart', by: 'admin', target: 'alice/web' })
    expect(JSON.stringify(await rows(alice!, 'events'))).not.toContain('vault')
    expect(await rows(bob!, 'events')).toMatchObject([{ what: 'create', target: 'vault' }])
  })

  test('hold the ends that were seen, and start where since says', async () => {
    await world.store.audit.add({
      actor: null,
      as: null,
      surface: 'system',
      command: 'exited',
      target: 'bob/vault',
      decision: 'done',
      requestId: 'x',
      detail: 'It ended by itself with exit code 3.',
    })
    expect((await world.say(bob!, 'events vault')).data).toMatchObject([
      { what: 'exited', by: null, detail: 'It ended by itself with exit code 3.' },
      { what: 'create' },
    ])
    await world.sql("update audit set at = now() - interval '3 hours' where command = 'create' and actor = 'bob'")
    expect((await world.say(bob!, 'events --since 2h')).data).toHaveLength(1)
  })

  test('of a container are its own: no earlier one of that name, nothing else that is called so, and for a guest how it is kept', async () => {
    await made(alice!, 'same')
    await world.say(alice!, 'rm -f same')
    await made(alice!, 'same')
    for (const line of ['token new same', 'network create same', 'volume create same', 'note same hello'])
      expect((await world.say(alice!, line)).error, line).toBeUndefined()
    const secret = { name: 'secret set', args: { container: 'same', name: 'STRIPE_KEY', value: 'x' } }
    expect((await world.say(alice!, secret)).error).toBeUndefined()
    const what = async (who: Person, line: string) =>
      ((await world.say(who, line)).data as { what: string }[]).map((one) => one.what)
    expect(await what(alice!, 'events same')).toEqual(['secret set', 'note', 'create'])
    await world.say(alice!, 'share same bob --view')
    await world.say(alice!, 'restart same')
    expect(await what(alice!, 'events same')).toEqual(['restart', 'share', 'secret set', 'note', 'create'])
    expect(await what(bob!, 'events alice/same')).toEqual(['restart', 'create'])
    await world.say(alice!, 'rm -f same')
  })

  test("a name's earlier owner is somebody else", async () => {
    const carol = await world.member('carol')
    await made(carol, 'box')
    await world.say(world.admin, 'user rm carol --yes')
    const again = await world.member('carol')
    expect((await world.say(again, 'events')).data).toEqual([])
  })
})

describe('wait', () => {
  test('answers with the exit code once it has ended', async () => {
    const web = await world.container(alice!, 'web')
    const waiting = world.say(alice!, 'wait web')
    await expect.poll(() => world.store.operations.openBy(alice!.id, 'wait')).toBe(1)
    // Nothing else waits for it: it locks nothing.
    expect((await world.say(alice!, 'restart web')).error).toBeUndefined()
    expect(await world.store.operations.countOpen()).toBe(0)
    await world.store.containers.update(web.id, { state: 'exited', desired: 'exited', exitCode: 3 })
    expect(await waiting).toMatchObject({
      text: 'web ended with exit code 3.',
      data: { name: 'web', ended: true, exit_code: 3, state: 'exited' },
    })
    await world.say(alice!, 'rm -f web')
  })

  test("a command's end comes first, for sshd goes on; it is read from the log", async () => {
    const job = await made(alice!, 'job', '-- make')
    await world.store.containers.update(job.id, { commandExit: 7 })
    expect(await world.say(alice!, 'wait job')).toMatchObject({
      text: 'The command of job ended with exit code 7.',
      data: { exit_code: 7, state: 'running' },
    })
  })

  test('tells that it has not ended when the time is over, and of one that was removed', async () => {
    await made(alice!, 'long')
    expect(await world.say(alice!, 'wait long --for 1s')).toMatchObject({
      text: 'long has not ended: it is running.',
      data: { ended: false },
    })
    const waiting = world.say(alice!, 'wait long')
    await expect.poll(() => world.store.operations.openBy(alice!.id, 'wait')).toBe(1)
    await world.say(alice!, 'rm -f long')
    expect(await waiting).toMatchObject({ text: 'long was removed.', data: { ended: true, exit_code: null } })
  })

  test('one who waits does not keep user rm waiting', async () => {
    const dave = await world.member('dave')
    await made(dave, 'box')
    const waiting = world.say(dave, 'wait box')
    await expect.poll(() => world.store.operations.openBy(dave.id, 'wait')).toBe(1)
    expect((await world.say(world.admin, 'user rm dave --yes')).error).toBeUndefined()
    expect((await waiting).error).toBeUndefined()
  })
})

describe('kill', () => {
  test('an end that follows is wanted: nobody is told of an accident', async () => {
    await made(alice!, 'one')
    expect(await world.say(alice!, 'kill one')).toMatchObject({
      text: 'one was sent KILL and ended with exit code 137.',
      data: { state: 'exited', desired: 'exited', exit_code: 137 },
    })
    expect(await world.say(alice!, 'kill -s TERM one')).toMatchObject({
      error: 'conflict',
      text: 'one is not running, so there is nothing to send a signal to.',
    })
    await world.say(alice!, 'rm -f one')
  })

  test.each(['STOP', '9', 'KILL;id', ''])('%o is no signal that it sends', async (signal) => {
    await made(alice!, 'two')
    await world.refused(alice!, { name: 'kill', args: { container: ['two'], signal } }, 'usage')
    await world.say(alice!, 'rm -f two')
  })
})

describe('update', () => {
  test('changes the limits that were named, in the engine and in what is used', async () => {
    const box = await made(alice!, 'box')
    const before = (await world.store.people.usage(alice!.id))!
    expect(await world.say(alice!, 'update box -m 128m')).toMatchObject({
      text: 'box has 128m of memory, 0.1 CPUs and 32 processes now.',
      data: { memory: 128 * 2 ** 20, cpus: 0.1, pids: 32 },
    })
    expect(world.host.fake.wish(box.engineId!)?.limits).toEqual({ memory: 128 * 2 ** 20, cpus: 100, pids: 32 })
    expect((await world.store.people.usage(alice!.id))!.memory - before.memory).toBe(64 * 2 ** 20)
  })

  test('what does not fit the quota is refused before anything is asked of the engine', async () => {
    await world.say(world.admin, 'quota set alice memory=512m')
    expect((await world.refused(alice!, 'update box -m 4g', 'limited')).text).toMatch(
      /^You may have 512m of memory for running containers \(your quota\)/,
    )
    expect((await world.container(alice!, 'box')).limits.memory).toBe(128 * 2 ** 20)
    // One that is stopped uses nothing; it is asked when it starts.
    await world.say(alice!, 'stop box')
    expect((await world.say(alice!, 'update box -m 4g')).error).toBeUndefined()
    expect(await world.say(alice!, 'start box')).toMatchObject({ error: 'limited' })
    await world.say(alice!, 'update box -m 64m')
    await world.say(alice!, 'start box')
  })

  test.each([
    ['that the engine refuses', 'refused' as const, false],
    ['whose answer is lost, and is then refused', 'refused' as const, true],
  ])('one %s leaves the limits as they were', async (_, fault, after) => {
    const used = (await world.store.people.usage(alice!.id))!.memory
    world.host.fake.fail('engine.update', fault, { after })
    expect(await world.say(alice!, 'update box -m 96m')).toMatchObject({ error: 'conflict' })
    const box = await world.container(alice!, 'box')
    expect(box.limits.memory).toBe(64 * 2 ** 20)
    expect(world.host.fake.wish(box.engineId!)?.limits.memory).toBe(64 * 2 ** 20)
    expect((await world.store.people.usage(alice!.id))!.memory).toBe(used)
  })

  test('less than it uses is told as such', async () => {
    world.host.fake.fail('engine.update', 'broken', { status: 500 })
    expect(await world.say(alice!, 'update box -m 32m')).toMatchObject({
      error: 'conflict',
      text: 'box uses more than 32m of memory now: end something in it, or stop it first.',
    })
  })

  test.each(['update box', 'update box -m 1m', 'update box --cpus 0', 'update box --pids-limit 1'])(
    '%s is refused',
    async (line) => {
      await world.refused(alice!, line, 'usage')
    },
  )

  test('two that would only fit alone: one of them does', async () => {
    await made(alice!, 'other')
    const used = (await world.store.people.usage(alice!.id))!.memory / 2 ** 20
    await world.say(world.admin, `quota set alice memory=${used + 100}m`)
    const replies = await Promise.all(['box', 'other'].map((name) => world.say(alice!, `update ${name} -m 160m`)))
    expect(replies.map((reply) => reply.error ?? 'done').toSorted()).toEqual(['done', 'limited'])
    await world.say(world.admin, 'quota unset alice memory')
  })
})

describe('clone', () => {
  test('has the limits, ports and variables of the first, and an image of its own', async () => {
    await made(alice!, 'first', '-p 80 -e A=b')
    await world.say(alice!, 'clone first second')
    const [first, second] = [await world.container(alice!, 'first'), await world.container(alice!, 'second')]
    expect(second).toMatchObject({ limits: first.limits, spec: first.spec, imageRef: 'second:clone', state: 'running' })
    expect(second.ports.map((port) => port.container)).toEqual(first.ports.map((port) => port.container))
    expect(second.ports.map((port) => port.host)).not.toEqual(first.ports.map((port) => port.host))
    expect(second.fingerprint).not.toBe(first.fingerprint)
    expect((await world.store.images.of(alice!.id)).map((image) => image.ref)).toContain('second:clone')
    expect((await world.refused(alice!, 'clone first second', 'conflict')).text).toBe(
      'You already have an image second:clone; remove it with rmi, or choose another name.',
    )
  })

  const end = async (...lines: string[]) => {
    for (const line of lines) expect((await world.say(alice!, line)).error, line).toBeUndefined()
  }

  test('has its added ports under other numbers, until when and for whom they are open, and its networks', async () => {
    await end('network create back', 'network connect back first')
    await end('port add first 8080 --for 2d', 'port add first 53/udp --share me')
    const from = world.host.fake.calls.length
    const reply = await world.say(alice!, 'clone first copy')
    expect(reply.text).toContain(' It has port 53/udp, 8080 open under other numbers and is on back too. Its image')
    expect(reply).toMatchObject({ data: { left: [], networks: ['back'] } })
    const [first, copy] = [await world.container(alice!, 'first'), await world.container(alice!, 'copy')]
    const same = (one: typeof first) => one.added.map(({ host: _, ...port }) => port)
    expect(same(copy)).toEqual(same(first))
    expect(copy.joined).toEqual(first.joined)
    expect((await world.host.engine.inspect(copy.engineId!)).networks).toContain(first.joined[0]!.engineName)
    for (const { host, proto } of copy.added)
      expect(world.host.fake.forward(`dcm-${world.works.place.instance}-port-${proto}-${host}`)).toMatchObject({
        ...{ target: copy.engineName, running: true },
      })
    const order = world.host.fake.calls.slice(from).map((call) => call.method)
    expect(order.indexOf('engine.alias')).toBeLessThan(order.indexOf('engine.start'))
    await end('rm -f copy', 'rmi copy:clone --yes')
  })

  test('is told what it does not have, and why; what only a grant or the quota permitted is not taken', async () => {
    for (const what of ['port:public', 'port:443']) await world.say(world.admin, `grant alice ${what}`)
    await end('port add first 9090 --share public', 'port add first 443:4430', 'share first bob --view --for 1d')
    await world.say(alice!, { name: 'secret set', args: { container: 'first', name: 'KEY', value: 'x' } })
    await world.say(world.admin, 'revoke alice port:public')
    const { ports } = (await world.store.people.usage(alice!.id))!
    // It is made with one port, and one of those that were added is to fit.
    await world.say(world.admin, `quota set alice ports=${ports + 2}`)
    const reply = await world.say(alice!, 'clone first copy')
    expect(reply.text).toContain(' It has port 53/udp open under other numbers and is on back too.')
    expect(reply.text).toContain(' Not taken along: port 4430, port 8080, port 9090, its secret, its shares.')
    expect((reply.data as { left: unknown }).left).toEqual([
      ...['port 4430', 'port 8080'].map((what) => ({
        what,
        why: expect.stringMatching(/^You may have \d+ /) as string,
      })),
      { what: 'port 9090', why: expect.stringContaining('needs a grant') as string },
      { what: 'its secret', why: 'Give KEY with secret set.' },
      { what: 'its shares', why: 'Nobody else may enter the copy until you say share.' },
    ])
    expect(reply.table?.rows).toHaveLength(5)
    await world.say(world.admin, 'quota unset alice ports')
    await end('rm -f copy', 'rmi copy:clone --yes')
    const other = await world.say(alice!, 'clone first copy')
    const [port] = (await world.container(alice!, 'copy')).added.filter((one) => one.container === 4430)
    expect(port!.host).not.toBe(443)
    expect(other.text).toContain(' Not taken along: port 9090, its secret, its shares.')
    await end('rm -f copy', 'rmi copy:clone --yes', 'port rm first 9090', 'port rm first 4430')
  })

  test('a number of it that something else holds is exchanged for another', async () => {
    world.host.fake.fail('engine.forward', 'taken')
    await end('clone first copy')
    const { added } = await world.container(alice!, 'copy')
    expect(added).toHaveLength(2)
    for (const { host, proto } of added)
      expect(world.host.fake.forward(`dcm-${world.works.place.instance}-port-${proto}-${host}`)).toBeDefined()
    await end('rm -f copy', 'rmi copy:clone --yes')
  })

  test('is admitted as a whole: what does not fit leaves nothing', async () => {
    await world.say(world.admin, 'quota set alice images=1')
    expect((await world.refused(alice!, 'clone first third', 'limited')).text).toContain('1 image ')
    await world.say(world.admin, 'quota unset alice images')
    await world.say(world.admin, 'quota set alice ports=2')
    await world.refused(alice!, 'clone first third', 'limited')
    await world.say(world.admin, 'quota unset alice ports')
    await world.refused(alice!, 'clone first box', 'conflict')
  })

  test.each(['engine.commit', 'engine.create', 'engine.alias', 'engine.start', 'engine.forward'] as const)(
    '%s refused leaves neither image nor container',
    async (method) => {
      const before = {
        images: await world.store.images.of(alice!.id),
        tags: await world.host.engine.imageTags(),
        used: await world.store.people.usage(alice!.id),
        forwards: await world.host.engine.forwards(),
      }
      world.host.fake.fail(method, 'refused')
      expect(await world.say(alice!, 'clone first third')).toMatchObject({ error: 'conflict' })
      expect(await world.store.containers.byName(alice!.id, 'third')).toBeUndefined()
      expect({
        images: await world.store.images.of(alice!.id),
        tags: await world.host.engine.imageTags(),
        used: await world.store.people.usage(alice!.id),
        forwards: await world.host.engine.forwards(),
      }).toEqual(before)
    },
  )
})
