import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  clearHost,
  commandEnd,
  createLogin,
  createMember,
  createRealHost,
  buildTestImage,
  type Login,
  logOf,
  type RealHost,
  ssh,
  type TestMember,
} from '../setup/host.ts'
import { until } from '../setup/until.ts'

/** The entry program, in containers of images whose /bin/sh is dash and busybox. */
describe.each([
  ['dash', ''],
  ['busybox', 'RUN ln -sf /bin/busybox /bin/sh\n'],
])('the entry program under %s', (shell, more) => {
  let real: RealHost
  let member: TestMember
  let login: Login
  let imageId: string
  beforeAll(async () => {
    real = await createRealHost(`he${shell.slice(0, 2)}`)
    imageId = more === '' ? real.imageId : (await buildTestImage(real.options, more, `${shell}:test`)).engineId
    member = await createMember(real, 'one')
    login = await createLogin(real.data)
  })
  afterAll(async () => {
    await clearHost(real)
    await real.close()
  })
  const make = (more: Parameters<TestMember['make']>[0]) => member.make({ imageId, ...more }, `${login.line}\n`)
  const ended = async (engineId: string) => {
    return until('its end', async () => {
      const seen = await real.host.engine.inspect(engineId)
      return seen.state === 'exited' && seen
    })
  }
  const up = (engineId: string) => until('it to be up', async () => (await logOf(real.host, engineId)).includes('up'))

  test('passes an argv on untouched, and shows how the command ended', async () => {
    const words = [
      'a b',
      'ünïcode ✓',
      'two\nlines',
      '',
      '$(id)',
      '`id`',
      '"',
      "'",
      '*',
      '-n',
      '\\',
      '~',
      'a=b',
      '--',
      '\t',
    ]
    const { engineId } = await make({ command: ['/usr/bin/printf', '[%s]\\n', ...words] })
    const log = await commandEnd(real.host, engineId)
    expect(log).toBe(`${words.map((word) => `[${word}]\n`).join('')}dcm: command exited with code 0\n`)
  })

  test("a shell's own words are no programs", async () => {
    for (const command of [['exit', '3'], ['cd', '/'], ['trap'], ['a=b'], ['/nowhere']]) {
      const { engineId } = await make({ command })
      expect(await commandEnd(real.host, engineId)).toMatch(/^dcm: command exited with code (126|127)$/m)
      expect((await real.host.engine.inspect(engineId)).state).toBe('running')
      await real.host.engine.remove(engineId)
    }
  })

  test('the command has the signals, the environment and the place of a program that was started plainly', async () => {
    const script =
      'trap "echo interrupted" INT; kill -INT $$; pwd; echo "$A|$DCM_SETENV|$TINI_KILL_PROCESS_GROUP|$DCM|$PATH"'
    const { engineId, name } = await make({ command: ['/bin/bash', '-c', script], env: ['A=x y', 'PATH=/mine:/bin'] })
    expect(await commandEnd(real.host, engineId)).toBe(
      `interrupted\n/root\nx y|||${name}|/mine:/bin\ndcm: command exited with code 0\n`,
    )
  })

  test('a stop reaches the command, which may take its time, and one that left the process group', async () => {
    const script = 'trap "sleep 0.3; echo bye; exit 7" TERM; echo up; while :; do sleep 0.1; done'
    const plain = await make({ command: ['/bin/bash', '-c', script] })
    const apart = await make({ command: ['setsid', '-w', '/bin/bash', '-c', script] })
    for (const { engineId } of [plain, apart]) {
      await up(engineId)
      await real.host.engine.stop(engineId, 60)
      expect(await real.host.engine.inspect(engineId)).toMatchObject({ state: 'exited', exitCode: 0 })
    }
    for (const { engineId } of [plain, apart]) {
      const log = await logOf(real.host, engineId)
      // Of what the command does to end, nothing is told a second time; bash says so of the sleep that it was in.
      expect(log.replace('Terminated\n', '')).toBe('up\nbye\ndcm: command exited with code 7\n')
    }
  })

  test('B12: a command that ignores SIGTERM is killed at the end of the time', async () => {
    const { engineId } = await make({
      command: ['/bin/bash', '-c', 'trap "" TERM; echo up; while :; do sleep 1; done'],
    })
    await up(engineId)
    await real.host.engine.stop(engineId, 1)
    expect(await real.host.engine.inspect(engineId)).toMatchObject({ state: 'exited', exitCode: 137 })
  })

  test('a granted restart policy starts the command again, as often as it says', async () => {
    const failing = await make({
      command: ['/bin/bash', '-c', 'echo run; exit 4'],
      restart: { name: 'on-failure', max: 2 },
    })
    const fine = await make({ command: ['/bin/echo', 'once'], restart: { name: 'on-failure', max: 2 } })
    const line = 'dcm: command exited with code 4\n'
    await until('three ends', async () => (await logOf(real.host, failing.engineId)).split(line).length > 3)
    expect(await logOf(real.host, failing.engineId)).toBe(`run\n${line}`.repeat(3))
    expect(await logOf(real.host, fine.engineId)).toBe('once\ndcm: command exited with code 0\n')
    for (const { engineId } of [failing, fine]) expect((await real.host.engine.inspect(engineId)).state).toBe('running')
  })

  test('the container lives as long as its sshd, and no longer', async () => {
    const made = await make({ command: ['sleep', '1000'] })
    await real.host.net.greet(made.port, made.key.fingerprint, 20_000)
    await ssh(made, login, 'pkill -o sshd')
    expect(await ended(made.engineId)).toMatchObject({ exitCode: 1 })
  })

  test('without sshd the command is the container, and its exit code the container’s', async () => {
    const { engineId } = await make({ command: ['/bin/sh', '-c', 'exit 5'], ssh: false, ports: [] })
    expect(await ended(engineId)).toMatchObject({ exitCode: 5 })
    const idle = await make({ command: [], ssh: false, ports: [] })
    // A signal that comes while the init has not yet given its child a process group is lost; the engine answers before.
    await until('its sleep', async () =>
      (await real.host.engine.processes(idle.engineId)).some(({ command }) => command.startsWith('sleep')),
    )
    expect((await real.host.engine.inspect(idle.engineId)).state).toBe('running')
    await real.host.engine.stop(idle.engineId, 60)
    expect((await real.host.engine.inspect(idle.engineId)).exitCode).toBe(143)
  })
})
