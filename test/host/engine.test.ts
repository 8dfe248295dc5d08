import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createDockerHost } from '../../src/core/host/docker/index.ts'
import type { HostEvent } from '../../src/core/host/engine.ts'
import { faultOf } from '../contracts/host.ts'
import { startPrivateEngine } from '../setup/private-engine.ts'
import {
  baseRef,
  clearHost,
  createLogin,
  createMember,
  createRealHost,
  type Made,
  type Login,
  ssh,
} from '../setup/host.ts'
import { startEngineProxy } from '../stand-ins/engine.ts'
import { until } from '../setup/until.ts'

/** Tries the login until the container's sshd is up. */
async function enter(made: Made, login: Login, command: string, through: string[]): Promise<string> {
  const seen = await until('a login', async () => {
    const tried = await ssh(made, login, command, { through })
    return tried.code !== 255 && tried
  })
  return seen.stdout
}

test('L02, L04, L05: an engine that is killed, comes back or freezes is told as such, and containers keep port and host key', async () => {
  const shared = await createRealHost('hd')
  try {
    await using engine = await startPrivateEngine({ images: [baseRef] })
    const real = await createRealHost('hd', { socket: engine.socket, data: join(engine.data, 'dcm'), image: baseRef })
    const member = await createMember(real, 'one')
    const login = await createLogin(shared.data)
    const made = await member.make({}, `${login.line}\n`)
    expect(await enter(made, login, 'echo kept >/root/file; hostname', engine.enter)).toBe(`${made.name}\n`)

    const listen = async () => {
      const ready = Promise.withResolvers<void>()
      const events: HostEvent[] = []
      const over = (async () => {
        for await (const event of real.host.engine.events(new AbortController().signal, ready.resolve))
          events.push(event)
      })()
      await ready.promise
      return { events, over }
    }
    const first = await listen()
    await engine.kill9()
    await first.over
    expect(await faultOf(() => real.host.engine.list())).toBe('down')
    expect(await faultOf(() => real.host.engine.start(made.engineId))).toBe('down')
    await engine.start()
    expect((await real.host.engine.inspect(made.engineId)).state).toBe('exited')
    await real.host.engine.start(made.engineId)
    expect(await enter(made, login, 'cat /root/file', engine.enter)).toBe('kept\n')

    const second = await listen()
    await engine.freeze()
    expect(await faultOf(() => real.host.engine.ping())).toBe('down')
    // A dead link says nothing: the stream ends because the heartbeat does.
    await second.over
    engine.thaw()
    expect((await real.host.engine.list()).map((seen) => seen.state)).toEqual(['running'])
    await clearHost(real)
    await real.close()
  } finally {
    await shared.close()
  }
})

test('L06: what was done before its answer got lost is found again, and nothing is there twice', async () => {
  const real = await createRealHost('hf')
  try {
    await using proxy = await startEngineProxy({})
    const host = createDockerHost({ ...real.options, dockerHost: `unix://${proxy.socket}` })
    const member = await createMember({ ...real, host }, 'one')
    const lost = { type: 'reset', where: 'after' } as const
    const made = await member.make()
    await host.engine.remove(made.engineId)
    await host.files.placeRun({ id: made.id, hostKey: made.key.privateKey, authorizedKeys: '' })

    proxy.rule({ method: 'POST', path: '/containers/create', action: lost })
    expect(await faultOf(() => host.engine.create(made))).toBe('down')
    const { engineId } = await host.engine.create(made)
    expect((await real.host.engine.list()).map((seen) => seen.engineId)).toEqual([engineId])
    proxy.rule({ method: 'POST', path: '/containers/*/start', action: lost })
    expect(await faultOf(() => host.engine.start(engineId))).toBe('down')
    await host.engine.start(engineId)
    const tag = `dcm/${real.instance}/saved:v1`
    proxy.rule({ method: 'POST', path: '/commit', action: lost })
    const commit = () => host.engine.commit(engineId, { ref: tag, message: '', author: '', blankEnv: [] })
    expect(await faultOf(commit)).toBe('down')
    await commit()
    expect((await host.engine.imageTags()).filter(({ ref }) => ref === tag)).toHaveLength(1)
    proxy.rule({ method: 'DELETE', path: '/containers/*', action: lost })
    expect(await faultOf(() => host.engine.remove(engineId))).toBe('down')
    await host.engine.remove(engineId)
    proxy.rule({ method: 'DELETE', path: '/networks/*', action: lost })
    expect(await faultOf(() => host.engine.removeNetwork(member.network))).toBe('down')
    await host.engine.removeNetwork(member.network)
    expect(await host.engine.list()).toEqual([])
    // Whatever was sent, nothing named an object but by full id or by a name that DCM made.
    for (const call of proxy.calls())
      expect(call.path).not.toMatch(/%2f|\.\.|\/containers\/(?!json|create|dcm-|[0-9a-f]{64})/i)
    host.close()
    await clearHost(real)
  } finally {
    await real.close()
  }
})
