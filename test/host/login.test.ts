import { execFile } from 'node:child_process'
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  clearHost,
  createLogin,
  createMember,
  createRealHost,
  enterable,
  type Login,
  type RealHost,
  ssh,
  type TestMember,
} from '../setup/host.ts'

const run = promisify(execFile)

describe("SSH to a container's own port", () => {
  let real: RealHost
  let member: TestMember
  let alice: Login
  let bob: Login
  beforeAll(async () => {
    real = await createRealHost('hl')
    member = await createMember(real, 'one')
    alice = await createLogin(real.data)
    bob = await createLogin(real.data)
  })
  afterAll(async () => {
    await clearHost(real)
    await real.close()
  })

  test('E05, E08: keys are replaced at once, without a restart, also while it is paused', async () => {
    const made = await enterable(real, member, alice)
    expect((await ssh(made, alice, 'id -u')).stdout).toBe('0\n')
    expect((await ssh(made, bob, 'true')).code).toBe(255)
    await real.host.files.writeKeys(made.id, `${bob.line}\n`)
    expect((await ssh(made, alice, 'true')).code).toBe(255)
    expect((await ssh(made, bob, 'true')).code).toBe(0)
    await real.host.engine.pause(made.engineId)
    await real.host.files.writeKeys(made.id, '')
    await real.host.engine.unpause(made.engineId)
    expect((await ssh(made, bob, 'true')).code).toBe(255)
    // What the member could write instead is not read.
    await real.host.files.writeKeys(made.id, `${bob.line}\n`)
    const own = await ssh(
      made,
      bob,
      `mkdir -p ~/.ssh && echo '${alice.line}' > ~/.ssh/authorized_keys; echo x >> /run/dcm/authorized_keys || echo read-only`,
    )
    expect(own.stdout).toBe('read-only\n')
    expect((await ssh(made, alice, 'true')).code).toBe(255)
  })

  test('E06, E09: the same host key and port after stop, start and kill; another for each container', async () => {
    const [made, other] = [await member.make({}, `${alice.line}\n`), await member.make({}, `${alice.line}\n`)]
    expect(made.key.fingerprint).not.toBe(other.key.fingerprint)
    for (let round = 0; round < 2; round++) {
      expect(await real.host.net.greet(made.port, made.key.fingerprint, 20_000)).toEqual({ ok: true })
      expect((await ssh(made, alice, 'echo in')).stdout).toBe('in\n')
      await real.host.engine.stop(made.engineId, round === 0 ? 10 : 0)
      await real.host.engine.start(made.engineId)
    }
    expect(await real.host.net.greet(other.port, made.key.fingerprint, 20_000)).toMatchObject({ ok: false })
  })

  test('E07: nothing but keys is offered, and no weak algorithm', async () => {
    const made = await enterable(real, member, alice)
    const refused = await ssh(made, bob, 'true', { args: ['-v', '-o', 'LogLevel=DEBUG1'] })
    expect(refused.code).toBe(255)
    const offered = [...refused.stderr.matchAll(/Authentications that can continue: (\S+)/g)].map((match) => match[1])
    expect(new Set(offered)).toEqual(new Set(['publickey']))
    const keen = await ssh(made, alice, 'true', { args: ['-o', 'LogLevel=DEBUG2'] })
    const server = keen.stderr.slice(keen.stderr.indexOf('peer server KEXINIT'))
    for (const weak of [
      'sha1',
      'nistp',
      'group1-',
      'group14',
      '-cbc',
      'arcfour',
      'md5',
      'umac-64',
      'ssh-rsa',
      'ssh-dss',
    ])
      expect(
        server.slice(0, server.indexOf('kex: algorithm')).replace(/debug\d: first_kex_follows.*/s, ''),
      ).not.toContain(weak)
    expect(server).toContain('curve25519-sha256')
  })

  test('sessions have the variables of -e, whatever is in them, and no argument shows them', async () => {
    const made = await member.make(
      { env: ['GREETING=say "hi" \\o/ $HOME', 'LIST=a b', 'DCM_SETENV=SetEnv X=1'] },
      `${alice.line}\n`,
    )
    await real.host.net.greet(made.port, made.key.fingerprint, 20_000)
    const seen = await ssh(
      made,
      alice,
      'printf "%s\\n" "$GREETING" "$LIST" "$X"; cat /proc/[0-9]*/cmdline | tr "\\0" " "',
    )
    expect(seen.stdout.split('\n').slice(0, 3)).toEqual(['say "hi" \\o/ $HOME', 'a b', ''])
    expect(seen.stdout).not.toContain('say "hi" \\o/ $HOME"')
  })

  test('sftp and scp work', async () => {
    const made = await enterable(real, member, alice)
    await ssh(made, alice, 'true')
    const file = join(real.data, 'sent')
    await writeFile(file, 'content')
    const options = [
      '-F',
      'none',
      '-i',
      alice.file,
      '-o',
      `UserKnownHostsFile=${alice.file}.${made.port}.known`,
      '-o',
      'BatchMode=yes',
    ]
    await run('scp', ['-q', '-P', String(made.port), ...options, file, 'root@127.0.0.1:/storage/got'])
    await run('scp', [
      '-q',
      '-O',
      '-P',
      String(made.port),
      ...options,
      'root@127.0.0.1:/storage/got',
      `${file}.back`,
    ]).catch((error: unknown) => {
      // The old protocol needs scp inside, which a small image may lack.
      expect(String(error)).toMatch(/scp: (command )?not found/)
    })
    const back = await ssh(made, alice, 'cat /storage/got')
    expect(back.stdout).toBe('content')
  })

  test('the run folder is closed to others on the host, and a link in its place is refused', async () => {
    const made = await member.make()
    const folder = made.mounts.run
    expect((await stat(real.data)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, 'ssh_host_ed25519_key'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(folder, 'authorized_keys'), 'utf8')).toBe('')
    await real.host.engine.remove(made.engineId)
    await real.host.files.removeRun(made.id)
    await mkdir(join(real.data, 'elsewhere'))
    await symlink(join(real.data, 'elsewhere'), folder)
    await expect(real.host.engine.create(made)).rejects.toMatchObject({
      fault: 'refused',
      message: expect.stringContaining('link'),
    })
    await expect(real.host.files.placeRun({ id: made.id, hostKey: '', authorizedKeys: '' })).rejects.toMatchObject({
      fault: 'refused',
    })
    await real.host.files.removeRun(made.id)
    expect((await stat(join(real.data, 'elsewhere'))).isDirectory()).toBe(true)
  })
})
