import { execFile } from 'node:child_process'
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { baseCaps } from '../../../src/core/host/docker/create.ts'
import { ask, open } from '../../setup/engine.ts'
import { probe, reach } from '../../setup/probe.ts'
import { type Dcm, startDcm } from '../../e2e/support/dcm.ts'
import { makeKey, type Member, runProgram } from '../../e2e/support/member.ts'
import { until } from '../../setup/until.ts'

const run = promisify(execFile)
type Machine = { id: string; name: string; port: number; fingerprint: string; ports: { port: number }[] }
type Inventory = { owner: string; name: string; engine_id: string; id: string }

let [dcm, alice, bob, folder]: [Dcm, Member, Member, string] = [] as never
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcm-tenant-'))
  dcm = await startDcm()
  ;[alice, bob] = await Promise.all([dcm.member('alice'), dcm.member('bob')])
  await dcm.must('quota site cpus=20 containers=20 running=20')
  await Promise.all([
    alice.must('create web --image debian -m 256m -p 8080'),
    bob.must('create web --image debian -m 256m -p 8080'),
  ])
  await bob.ssh('web', 'setsid nc -l -k -p 8080 >/dev/null 2>&1 </dev/null &')
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const inventory = async () => (await dcm.must<Inventory[]>('inventory')).data
const row = async (owner: string, name: string) =>
  (await inventory()).find((one) => one.owner === owner && one.name === name)!
const machine = async (who: Member, name: string) => (await who.must<Machine>(`inspect ${name}`)).data
const personId = async (name: string) => {
  const { engine_id } = await row(name, 'web')
  return (await ask<{ Config: { Labels: Record<string, string> } }>(dcm.engine, 'GET', `/containers/${engine_id}/json`))
    .Config.Labels['dcm.owner']!
}
const storageOf = async (name: string) => join(dcm.dataDir, 'storage', await personId(name))

describe('A13: what a member sees from inside a container of theirs', () => {
  test('is as the documents say', async () => {
    const { stdout } = await alice.ssh('web', 'sh', { input: probe })
    const seen = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
    ) as Record<string, string>
    const bits: Record<string, number> = {
      CHOWN: 0,
      DAC_OVERRIDE: 1,
      FOWNER: 3,
      FSETID: 4,
      KILL: 5,
      SETGID: 6,
      SETUID: 7,
      SYS_CHROOT: 18,
      AUDIT_WRITE: 29,
    }
    expect(Number.parseInt(seen['bounding']!, 16)).toBe(baseCaps.reduce((sum, cap) => sum + 2 ** bits[cap]!, 0))
    const none = [
      'usernamespace',
      'mountnamespace',
      'mount',
      'remount',
      'mknod',
      'core-pattern',
      'sysrq',
      'cgroup',
      'run-folder',
    ]
    for (const name of none) expect(seen[name], name).toBe('no')
    for (const name of ['socket', 'core', 'firmware', 'keys', 'devices', 'interfaces', 'foreign-mounts'])
      expect(seen[name], name).toBe('0')
    expect(seen).toMatchObject({ privileges: '1', seccomp: '2' })
  })

  test("N09 and no secret of DCM's", async () => {
    const { stdout } = await alice.ssh(
      'web',
      'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"; env; cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"',
    )
    const key = (await readFile(join(dcm.dataDir, 'secret.key'), 'utf8')).trim()
    expect(stdout).not.toContain(key)
    expect(stdout).not.toContain(alice.token)
    expect(stdout).not.toMatch(/PRIVATE KEY|DATABASE_URL|DOCKER_HOST|dcm_[A-Za-z0-9]{20}/)
    expect(stdout).not.toContain(dcm.dataDir)
  })
})

describe('O01, O02, O03: what a member reaches', () => {
  let server: Server
  let port: number
  beforeAll(async () => {
    server = createServer((socket) => void socket.on('error', () => undefined).end('host'))
    await new Promise<void>((listening) => server.listen(0, '0.0.0.0', listening))
    port = (server.address() as { port: number }).port
  })
  afterAll(() => new Promise((closed) => server.close(closed)))

  const addresses = async (owner: string) => {
    const { engine_id } = await row(owner, 'web')
    const { NetworkSettings } = await ask<{
      NetworkSettings: { Networks: Record<string, { IPAddress: string; Gateway: string }> }
    }>(dcm.engine, 'GET', `/containers/${engine_id}/json`)
    return Object.values(NetworkSettings.Networks)[0]!
  }

  test("neither another member's container, by address or by published port, nor the host, nor DCM", async () => {
    const [mine, theirs] = [await addresses('alice'), await addresses('bob')]
    const his = await machine(bob, 'web')
    const dcmPort = new URL(dcm.url).port
    const own = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter((one) => one.family === 'IPv4' && !one.internal)
      .map((one) => one.address)
    const hosts = [...new Set([mine.Gateway, theirs.Gateway, '172.17.0.1', ...own])]
    const closed = [
      `${theirs.IPAddress}:22`,
      `${theirs.IPAddress}:8080`,
      ...hosts.flatMap((host) => [port, his.port, his.ports[0]!.port, dcmPort].map((one) => `${host}:${one}`)),
      `127.0.0.1:${dcmPort}`,
      '169.254.169.254:80',
    ]
    const { stdout } = await alice.ssh('web', reach([...closed, '127.0.0.1:22']))
    const got = stdout.trim().split('\n').toSorted()
    expect(got).toEqual([...closed.map((target) => `${target} closed`), '127.0.0.1:22 reached'].toSorted())
    // What was closed to her is open here, so the test could have failed.
    const here = await run('bash', [
      '-c',
      reach([
        `${theirs.IPAddress}:8080`,
        `127.0.0.1:${his.ports[0]!.port}`,
        `${mine.Gateway}:${port}`,
        `127.0.0.1:${dcmPort}`,
      ]),
    ])
    expect(here.stdout).not.toContain('closed')
  })

  test('O03, H10 ports of containers and of DCM itself are on the address they were given, and no other', async () => {
    const ports = (await Promise.all([machine(alice, 'web'), machine(bob, 'web')])).flatMap((one) => [
      one.port,
      one.ports[0]!.port,
    ])
    const { stdout } = await run('ss', ['-Hltnp'])
    const listening = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/))
    const at = (wanted: number) =>
      listening.filter(([, , , local]) => local!.endsWith(`:${wanted}`)).map(([, , , local]) => local)
    for (const one of ports) expect(at(one)).toEqual([`127.0.0.1:${one}`])
    const mine = listening
      .filter((words) => words.join(' ').includes(`pid=${dcm.pid()},`))
      .map(([, , , local]) => local!)
    expect(mine.length).toBeGreaterThan(0)
    for (const local of mine) expect(local).toMatch(/^127\.0\.0\.1:/)
  })

  test('H10 who has no token is told that DCM lives, and nothing of anybody', async () => {
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      const { text } = await dcm.http(path)
      expect(text, path).not.toMatch(/alice|bob/)
    }
    for (const path of ['/v1/ps', '/v1/inventory', '/v1/user/ls', '/v1/audit', '/v1/operations/x'])
      expect((await dcm.http(path)).status, path).toBe(401)
  })
})

describe('O04: a member who takes all they can', () => {
  test('is stopped by their own limits; the other logs in, and stop works', async () => {
    await alice.must('create greedy --image debian -m 64m --pids-limit 64 --cpus 0.5')
    // By perl, which goes on when no process can be had.
    const hog = 'fork while 1'
    await alice.ssh(
      'greedy',
      `setsid perl -e '${hog}' >/dev/null 2>&1 </dev/null & setsid sh -c 'tail /dev/zero' >/dev/null 2>&1 </dev/null & sleep 0.5`,
    )
    const { engine_id } = await row('alice', 'greedy')
    const { pids_stats } = await ask<{ pids_stats: { current: number; limit: number } }>(
      dcm.engine,
      'GET',
      `/containers/${engine_id}/stats?stream=0&one-shot=1`,
    )
    expect(pids_stats).toMatchObject({ limit: 64 })
    expect(pids_stats.current).toBeGreaterThan(30)
    expect(pids_stats.current).toBeLessThanOrEqual(64)
    expect((await bob.ssh('web', 'echo in')).stdout).toBe('in\n')
    expect((await bob.must<unknown[]>('ps')).data).toHaveLength(1)
    await alice.must('stop greedy -t 1')
    await alice.must('rm -f greedy')
  })
})

describe('E05 to E08: keys and sshd', () => {
  test('E07 no way in but a key: no password, no keyboard, no none, no other user', async () => {
    const { port } = await machine(alice, 'web')
    const tries = [
      'PreferredAuthentications=password',
      'PreferredAuthentications=keyboard-interactive',
      'PreferredAuthentications=none',
    ]
    for (const option of tries) {
      const ran = await runProgram('ssh', [
        '-v',
        '-F',
        'none',
        '-o',
        option,
        '-o',
        'NumberOfPasswordPrompts=0',
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        'UserKnownHostsFile=/dev/null',
        '-p',
        String(port),
        'root@127.0.0.1',
        'true',
      ])
      expect(ran.code).toBe(255)
      expect(ran.stderr, option).toMatch(/Authentications that can continue: publickey\r?\n/)
    }
    const daemon = await runProgram('ssh', [
      '-F',
      'none',
      '-i',
      alice.key,
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'LogLevel=ERROR',
      '-p',
      String(port),
      'daemon@127.0.0.1',
      'true',
    ])
    expect(daemon.code).not.toBe(0)
  })

  test("E06 the host key is the container's own, is what DCM says, and stays", async () => {
    await alice.must('commit web copied:1')
    for (const [name, image] of [
      ['c1', 'debian'],
      ['c2', 'copied:1'],
    ])
      await alice.must(`create ${name} --image ${image} -m 64m`)
    const scan = async (name: string) => {
      const { port, fingerprint } = await machine(alice, name)
      const { stdout } = await runProgram('ssh-keyscan', ['-T', '5', '-p', String(port), '127.0.0.1'])
      expect(stdout.trim().split('\n'), 'one key, and no other kind').toHaveLength(1)
      const told = await runProgram('ssh-keygen', ['-lf', '-'], stdout)
      expect(told.stdout).toContain(fingerprint)
      return fingerprint
    }
    const before = [await scan('web'), await scan('c1'), await scan('c2')]
    expect(new Set(before).size).toBe(3)
    await alice.must('restart c1 c2 -t 1')
    expect([await scan('web'), await scan('c1'), await scan('c2')]).toEqual(before)
  })

  test('E05 a key that is removed opens nothing any more: not what runs, nor what was paused', async () => {
    const extra = await makeKey(folder, 'extra')
    await alice.must(['key', 'add', extra.publicKey])
    for (const name of ['web', 'c1', 'c2'])
      expect((await alice.ssh(name, 'true', { key: extra.key })).code, name).toBe(0)
    await alice.must('pause c2')
    await alice.must(['key', 'rm', 'extra@test'])
    await alice.must('unpause c2')
    for (const name of ['web', 'c1', 'c2']) {
      expect(await alice.ssh(name, 'true', { key: extra.key }), name).toMatchObject({
        code: 255,
        stderr: expect.stringContaining('Permission denied'),
      })
      expect((await alice.ssh(name, 'true')).code, name).toBe(0)
    }
  })

  test('E08 what is done to the keys inside is of no use', async () => {
    const planted = await makeKey(folder, 'planted')
    const tried = await alice.ssh(
      'c1',
      `mkdir -p ~/.ssh; echo '${planted.publicKey}' >> ~/.ssh/authorized_keys; echo '${planted.publicKey}' >> /run/dcm/authorized_keys; mv /run/dcm /run/gone; mount -o remount,rw /run/dcm; rm -f /run/dcm/authorized_keys; echo tried`,
    )
    expect(tried.stdout).toContain('tried')
    expect((await alice.ssh('c1', 'true', { key: planted.key })).code).toBe(255)
    await alice.must('restart c1 -t 1')
    expect((await alice.ssh('c1', 'true', { key: planted.key })).code).toBe(255)
    expect((await alice.ssh('c2', 'true')).code).toBe(0)
    await alice.must('rm -f c2')
  })
})

describe('B09, D09: what is saved', () => {
  /** The newest image of this instance, as the engine would hand it to anyone: configuration, history and layers. */
  async function newest(): Promise<{ bytes: Buffer; labels: Record<string, string> }> {
    const images = await ask<{ RepoTags: string[] | null; Created: number }[]>(dcm.engine, 'GET', '/images/json')
    const own = (ref: string) => ref.startsWith(`dcm/${dcm.instance()}/`)
    const [latest] = images.filter((image) => image.RepoTags?.some(own)).toSorted((a, b) => b.Created - a.Created)
    const ref = latest!.RepoTags!.find(own)!
    const { Config } = await ask<{ Config: { Labels: Record<string, string> } }>(
      dcm.engine,
      'GET',
      `/images/${ref}/json`,
    )
    return { bytes: await buffer(await open(dcm.engine, 'GET', `/images/${ref}/get`)), labels: Config.Labels }
  }
  const secret = `in-storage-${Math.random()}`

  test('holds no key, no token, no host key and nothing of the storage, and its labels are blank', async () => {
    await alice.ssh('c1', `echo ${secret} > /storage/secret; echo in-the-image > /root/plain; rm -rf ~/.ssh`)
    await alice.must('commit c1 saved:1')
    const { bytes, labels } = await newest()
    expect(bytes.includes('in-the-image')).toBe(true)
    const run = join(dcm.dataDir, 'run', (await row('alice', 'c1')).id)
    const hostKeys = (await readdir(run)).filter((name) => name.includes('host') && !name.endsWith('.pub'))
    expect(hostKeys).toHaveLength(1)
    const body = (await readFile(join(run, hostKeys[0]!), 'utf8')).split('\n')[2]!
    expect(body.length).toBeGreaterThan(30)
    for (const trace of [secret, alice.token, alice.publicKey.split(' ')[1]!, body])
      expect(bytes.includes(trace), trace.slice(0, 12)).toBe(false)
    for (const name of ['dcm.owner', 'dcm.id', 'dcm.instance']) expect(labels[name] ?? '', name).toBe('')
    await alice.must('create again --image saved:1 -m 64m')
    expect((await alice.ssh('again', 'cat /root/plain /storage/secret')).stdout).toBe(`in-the-image\n${secret}\n`)
    await alice.must('rm -f again c1')
  })

  test('with --no-env holds no value of -e, in no part of it', async () => {
    await alice.must('create c3 --image debian -m 64m -e PASSWORD=hunter2-is-mine')
    expect((await alice.ssh('c3', 'echo $PASSWORD')).stdout).toBe('hunter2-is-mine\n')
    expect((await alice.must<{ kept_env: string[] }>('commit c3 kept:1')).data.kept_env).toEqual(['PASSWORD'])
    expect((await newest()).bytes.includes('hunter2-is-mine')).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect((await alice.must<{ kept_env: string[] }>('commit c3 without:1 --no-env')).data.kept_env).toEqual([])
    expect((await newest()).bytes.includes('hunter2-is-mine')).toBe(false)
    await alice.must('rm -f c3')
  })
})

describe('D01 to D08: storage on the host', () => {
  test('D01 is closed to everybody on the host', async () => {
    const root = await storageOf('alice')
    for (const path of [join(dcm.dataDir, 'storage'), root]) {
      const found = await stat(path)
      expect([found.uid, found.mode & 0o777], path).toEqual([0, 0o700])
    }
    for (const path of [join(dcm.dataDir, 'secret.key'), join(dcm.dataDir, 'dcm.sock')])
      expect((await stat(path)).mode & 0o077, path).toBe(0)
    const nobody = await runProgram('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'ls', root])
    expect(nobody.code).not.toBe(0)
  })

  test('D03 what is setuid or a device inside is neither on the host', async () => {
    await alice.ssh(
      'web',
      'cp /bin/bash /storage/shell; chmod 4755 /storage/shell; mknod /storage/disk b 7 0; ls -l /storage',
    )
    const data = join(await storageOf('alice'), 'data')
    expect((await lstat(join(data, 'shell'))).mode & 0o4000).toBe(0o4000)
    expect(await readdir(data)).not.toContain('disk')
    const options =
      (await readFile('/proc/mounts', 'utf8'))
        .split('\n')
        .find((line) => line.includes(data.replace(/\/data$/, '')))
        ?.split(' ')[3] ?? ''
    expect(options.split(',')).toEqual(expect.arrayContaining(['nosuid', 'nodev']))
  })

  test('D02, D04 links, depth and odd names: measuring and removing touch nothing else', async () => {
    const canary = join(folder, 'canary')
    await mkdir(canary)
    await writeFile(join(canary, 'file'), 'untouched')
    const eve = await dcm.member('eve')
    await eve.must('create web --image debian -m 128m')
    const made = await eve.ssh(
      'web',
      `cd /storage; ln -s / root; ln -s ${canary} canary; ln -s /etc etc; mkdir -- -rf "$(printf 'a\\nb')"; touch -- -rf/x '*' ' '; ln '*' hard; perl -e 'for (1..1500) { mkdir "d"; chdir "d" or last }'; perl -e 'for (1..3000) { open my $f, ">", "/storage/f$_" }'; echo made`,
    )
    expect(made.stdout).toBe('made\n')
    expect((await dcm.must<{ storage: number }>('user show eve')).data.storage).toBeGreaterThan(0)
    const root = await storageOf('eve')
    await dcm.must('user rm eve --images --storage', { yes: true })
    await expect(lstat(root)).rejects.toThrow('ENOENT')
    expect(await readdir(join(dcm.dataDir, 'trash'))).toEqual([])
    expect(await readFile(join(canary, 'file'), 'utf8')).toBe('untouched')
    expect((await readdir('/etc')).length).toBeGreaterThan(20)
  })

  test('D06 a storage that somebody replaced on the host by a link is not mounted', async () => {
    await alice.must('create d06 --image debian -m 64m')
    await alice.must('stop d06')
    const root = await storageOf('alice')
    const away = `${root}.away`
    await runProgram('umount', [root])
    await rename(root, away)
    await symlink('/etc', root)
    try {
      const said = await alice.run('start d06')
      expect(said.error).toBeDefined()
      expect(JSON.stringify(said)).not.toContain(dcm.dataDir)
      expect(await readlink(root)).toBe('/etc')
    } finally {
      await rm(root)
      await rename(away, root)
    }
    await alice.must('start d06')
    expect((await alice.ssh('d06', 'cat /storage/secret')).stdout).toMatch(/^in-storage-/)
    await alice.must('rm -f d06')
  })

  test('D07 a storage cannot grow past its quota, and nobody else notices', async () => {
    await dcm.must('quota set bob disk=64m')
    const fresh = await dcm.member('frank')
    await dcm.must('quota set frank disk=48m')
    await fresh.must('create web --image debian -m 64m')
    const filled = await fresh.ssh(
      'web',
      'dd if=/dev/zero of=/storage/big bs=1M count=200 2>&1; stat -c %s /storage/big',
    )
    expect(filled.stdout).toContain('No space left on device')
    expect(Number(filled.stdout.trim().split('\n').at(-1))).toBeLessThan(64 * 1024 ** 2)
    expect((await bob.ssh('web', 'echo ok > /storage/ok && cat /storage/ok')).stdout).toBe('ok\n')
    await dcm.must('user rm frank --storage', { yes: true })
  })

  test("D08 every mount of every container is its owner's", async () => {
    const labels = async (id: string) =>
      ask<{
        Config: { Labels: Record<string, string> }
        Mounts: { Type: string; Source: string; Destination: string }[]
      }>(dcm.engine, 'GET', `/containers/${id}/json`)
    for (const one of await inventory()) {
      const { Config, Mounts } = await labels(one.engine_id)
      expect(
        Mounts.filter((mount) => mount.Type === 'bind')
          .map((mount) => mount.Source)
          .toSorted(),
      ).toEqual(
        [
          join(dcm.dataDir, 'run', one.id),
          join(dcm.dataDir, 'storage', Config.Labels['dcm.owner']!, 'data'),
        ].toSorted(),
      )
    }
  })
})

test("N09 DCM's own log and processes hold no secret", async () => {
  const key = (await readFile(join(dcm.dataDir, 'secret.key'), 'utf8')).trim()
  const logs = await dcm.logs()
  for (const secret of [key, alice.token, bob.token, 'BEGIN OPENSSH']) expect(logs.includes(secret)).toBe(false)
  for (const line of logs.split('\n').filter((one) => one.startsWith('{')))
    expect(() => JSON.parse(line) as unknown).not.toThrow()
  expect(await readFile(`/proc/${dcm.pid()}/cmdline`, 'utf8')).not.toContain(key)
  // What nobody but DCM reads: every file of its data folder but what members have in their storage, which D01 looks at.
  const found = await runProgram('find', [dcm.dataDir, '-name', 'storage', '-prune', '-o', '-type', 'f', '-print'])
  const files = found.stdout.trim().split('\n')
  expect(files).toContain(join(dcm.dataDir, 'secret.key'))
  for (const path of files) {
    const hidden = ((await stat(path)).mode & 0o077) === 0
    const text = hidden ? '' : await readFile(path, 'latin1')
    expect(text.includes(key) || /PRIVATE KEY|dcm_[A-Za-z0-9]{20}/.test(text), path).toBe(false)
  }
  await until('nothing to be open', async () => (await dcm.ready()).settled)
})
