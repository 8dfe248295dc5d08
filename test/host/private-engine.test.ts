import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ask, open } from '../setup/engine.ts'
import { type PrivateEngine, startPrivateEngine } from '../setup/private-engine.ts'

const run = promisify(execFile)
const images = ['debian:bookworm-slim']

async function runSleeper(engine: PrivateEngine, hostConfig: object = {}): Promise<string> {
  const { Id } = await ask<{ Id: string }>(engine.socket, 'POST', '/containers/create', {
    Image: images[0],
    Cmd: ['sleep', '1000'],
    HostConfig: hostConfig,
  })
  await ask(engine.socket, 'POST', `/containers/${Id}/start`)
  return Id
}

const state = async (engine: PrivateEngine, id: string) =>
  (await ask<{ State: { Status: string } }>(engine.socket, 'GET', `/containers/${id}/json`)).State.Status

/** Command lines of all processes of this machine. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.join('\n')
}

test('containers live on under live-restore when the engine is killed, and it finds them again', async () => {
  await using engine = await startPrivateEngine({ liveRestore: true, images })
  const id = await runSleeper(engine)
  await engine.kill9()
  await expect(ask(engine.socket, 'GET', '/info')).rejects.toThrow(/ECONNREFUSED|ENOENT/)
  await engine.start()
  expect(await state(engine, id)).toBe('running')
  await engine.stop()
  await engine.start()
  expect(await state(engine, id)).toBe('running')
})

test('a frozen engine answers when it is thawed, and a paused container does not keep it from being removed', async () => {
  const engine = await startPrivateEngine({ images })
  const id = await runSleeper(engine)
  await ask(engine.socket, 'POST', `/containers/${id}/pause`)
  expect(await commandLines()).toContain(engine.data.replace(/data$/, ''))
  await engine.freeze()
  const late = open(engine.socket, 'GET', '/_ping').then((answer) => answer.statusCode)
  const first = await Promise.race([late, new Promise((silent) => setTimeout(silent, 300, 'silence'))])
  expect(first).toBe('silence')
  engine.thaw()
  expect(await late).toBe(200)
  await engine[Symbol.asyncDispose]()
  expect(existsSync(engine.socket)).toBe(false)
  expect(await commandLines()).not.toContain(engine.data.replace(/data$/, ''))
})

test('it is in a network of its own, sees what is mounted in its data folder, and maps root away', async () => {
  await using engine = await startPrivateEngine({ remap: true, images })
  const storage = join(engine.data, 'storage')
  await mkdir(storage)
  await run('mount', ['-t', 'tmpfs', 'tmpfs', storage])
  await run('chown', ['231072:231072', storage])
  const id = await runSleeper(engine, { Binds: [`${storage}:/storage`] })
  const { Id } = await ask<{ Id: string }>(engine.socket, 'POST', `/containers/${id}/exec`, {
    Cmd: ['touch', '/storage/made'],
  })
  await ask(engine.socket, 'POST', `/exec/${Id}/start`, { Detach: false })
  await expect.poll(() => stat(join(storage, 'made')).then((file) => file.uid)).toBe(231072)
  const { stdout } = await run(engine.enter[0] ?? '', [...engine.enter.slice(1), 'ip', '-o', 'link'])
  expect(stdout).toMatch(/docker0/)
  expect(stdout).not.toMatch(/eth0:/)
})

test('a small disk fills up', async () => {
  await using engine = await startPrivateEngine({ disk: 400 * 1024 ** 2, images })
  const { Id } = await ask<{ Id: string }>(engine.socket, 'POST', '/containers/create', {
    Image: images[0],
    Cmd: ['dd', 'if=/dev/zero', 'of=/big', 'bs=1M', 'count=600'],
  })
  await ask(engine.socket, 'POST', `/containers/${Id}/start`)
  expect(await ask(engine.socket, 'POST', `/containers/${Id}/wait`)).toMatchObject({ StatusCode: 1 })
})
