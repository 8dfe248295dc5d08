import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  clearHost,
  commandEnd,
  createLogin,
  createMember,
  createRealHost,
  type RealHost,
  ssh,
} from '../../setup/host.ts'

let real: RealHost
beforeAll(async () => {
  real = await createRealHost('acwd')
})
afterAll(async () => {
  await clearHost(real)
  await real.close()
})

/** CVE-2024-21626: until runc 1.1.12 the runtime went to a link of this kind while it still held folders of the host open. */
test('a home that is a link into the runtime is followed by nobody but the member', async () => {
  const { engine } = real.host
  const member = await createMember(real, 'mallory')
  const login = await createLogin(real.data)
  const made = await member.make({}, `${login.line}\n`)
  const up = () => real.host.net.greet(made.port, made.key.fingerprint, 30_000)
  expect(await up()).toEqual({ ok: true })
  expect((await ssh(made, login, 'rm -rf /root && ln -s /proc/self/fd/7 /root')).code).toBe(0)
  const opened = await engine.exec(made.engineId, { argv: ['/bin/pwd'], env: [], tty: null })
  let said = ''
  for await (const { data } of opened.output) said += data.toString()
  expect({ said, code: await opened.exit() }).toEqual({ said: '/\n', code: 0 })
  await engine.stop(made.engineId, 5)
  await engine.start(made.engineId)
  expect(await up()).toEqual({ ok: true })
  const inside = await ssh(made, login, 'for p in /proc/[0-9]*; do readlink $p/cwd; done | sort -u')
  expect(inside.stdout.trim().split('\n')).toEqual(['/'])
})

test('a command still begins in /root', async () => {
  const member = await createMember(real, 'ada')
  const made = await member.make({ command: ['/bin/pwd'] })
  expect(await real.host.net.greet(made.port, made.key.fingerprint, 30_000)).toEqual({ ok: true })
  expect(await commandEnd(real.host, made.engineId)).toBe('/root\ndcm: command exited with code 0\n')
})
