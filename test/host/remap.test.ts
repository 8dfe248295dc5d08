import { join } from 'node:path'
import { stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startPrivateEngine } from '../setup/private-engine.ts'
import { baseRef, clearHost, createLogin, createMember, createRealHost, logOf, ssh } from '../setup/host.ts'
import { until } from '../setup/until.ts'

test('under userns-remap: login, storage and keys work, and root inside is nobody outside', async () => {
  const shared = await createRealHost('hr')
  try {
    await using engine = await startPrivateEngine({ remap: true, images: ['debian:bookworm-slim', baseRef] })
    const real = await createRealHost('hr', { socket: engine.socket, data: join(engine.data, 'dcm'), image: baseRef })
    const member = await createMember(real, 'one')
    const login = await createLogin(shared.data)
    expect((await real.host.engine.info()).remap).toEqual({ uid: 231_072, gid: 231_072 })
    const made = await member.make({ command: ['echo', 'hello'] }, `${login.line}\n`)
    const through = { through: engine.enter }
    const seen = await until('a login', async () => {
      const tried = await ssh(made, login, 'id -u; echo kept >/storage/file && cat /storage/file', through)
      return tried.code !== 255 && tried
    })
    expect(`${seen.stdout}${seen.stderr}`).toBe('0\nkept\n')
    expect(await logOf(real.host, made.engineId)).toContain('hello\n')
    const storage = (await real.host.files.storage('one'))!
    expect((await stat(join(storage.path, 'file'))).uid).toBe(231_072)
    expect((await stat(join(made.mounts.run, 'ssh_host_ed25519_key'))).mode & 0o777).toBe(0o600)
    expect(storage.hard).toBe(true)
    await real.host.files.writeKeys(made.id, '')
    expect((await ssh(made, login, 'true', through)).code).toBe(255)
    await clearHost(real)
    await real.close()
  } finally {
    await shared.close()
  }
})
