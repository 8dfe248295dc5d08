import { access, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../src/core/host/docker/program.ts'
import { createStorages } from '../../src/core/host/docker/storages.ts'
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

const mebi = 1024 ** 2

describe("members' storages", () => {
  let real: RealHost
  let member: TestMember
  let login: Login
  beforeAll(async () => {
    real = await createRealHost('hs')
    member = await createMember(real, 'one')
    login = await createLogin(real.data)
  })
  afterAll(async () => {
    await clearHost(real)
    await real.close()
  })
  const enter = (more?: Parameters<TestMember['make']>[0]) => enterable(real, member, login, more)

  test('D07: what is promised of the quota is true from inside', async () => {
    const proof = await real.host.files.proveQuota()
    expect(proof).toEqual({ hard: true, why: expect.stringContaining('refused') })
    const made = await enter()
    const { stdout } = await ssh(
      made,
      login,
      'head -c 100000000 /dev/zero >/storage/big 2>/tmp/why; cat /tmp/why; stat -c %s /storage/big; rm /storage/big',
    )
    expect(stdout).toContain('No space left on device')
    expect(Number(stdout.trim().split('\n').at(-1))).toBeLessThan(32 * mebi)
    expect(await real.host.files.storage('one')).toMatchObject({ hard: true, limit: 32 * mebi })
  })

  test('D09: one folder in all of their containers, which outlives them', async () => {
    const [one, two] = [await enter(), await enter()]
    await ssh(one, login, 'echo kept >/storage/file')
    expect((await ssh(two, login, 'cat /storage/file')).stdout).toBe('kept\n')
    for (const { engineId } of [one, two]) await real.host.engine.remove(engineId)
    expect((await ssh(await enter(), login, 'cat /storage/file')).stdout).toBe('kept\n')
  })

  test('a larger limit is there at once; after a reboot it is mounted anew; a file is never mounted twice', async () => {
    const made = await enter()
    const large = 400 * mebi
    const fresh = await real.host.files.ensureStorage('large', 320 * mebi)
    const grown = await real.host.files.ensureStorage('large', large)
    expect(grown).toMatchObject({ path: fresh.path, limit: large })
    await writeFile(join(grown.path, 'file'), 'kept')
    const folder = join(real.data, 'storage', 'large')
    expect((await run('umount', [folder])).ok).toBe(true)
    // While it is away, nothing can be mistaken for it: a container with it cannot be made.
    await expect(access(grown.path)).rejects.toThrow('ENOENT')
    await expect(
      real.host.engine.create({
        ...made,
        engineName: `dcm-${real.instance}-lost`,
        mounts: { ...made.mounts, storage: grown.path },
      }),
    ).rejects.toMatchObject({
      fault: 'refused',
    })
    await real.host.files.ensureStorage('large', large)
    expect(await readFile(join(grown.path, 'file'), 'utf8')).toBe('kept')
    // A container has it mounted while the host has not.
    const own = join(real.data, 'storage', 'one')
    await ssh(made, login, 'echo first >/storage/shared')
    expect((await run('umount', [own])).ok).toBe(true)
    const again = await real.host.files.ensureStorage('one', 48 * mebi)
    await writeFile(join(again.path, 'shared'), 'second')
    expect((await ssh(made, login, 'cat /storage/shared')).stdout).toBe('second')
    const devices = await run('losetup', ['-n', '-O', 'NAME', '-j', `${own}.img`])
    expect(devices.stdout.trim().split('\n')).toHaveLength(1)
    expect(again.limit).toBe(Number((await run('stat', ['-c', '%s', `${own}.img`])).stdout))
  })

  test('D02, D03, D04: what a member leaves is deleted without being followed, run or tripped over', async () => {
    const outside = join(real.data, 'canary')
    await mkdir(outside)
    await writeFile(join(outside, 'alive'), 'yes')
    const two = await createMember(real, 'two')
    const made = await enterable(real, two, login)
    const script = `cd /storage
ln -s / root; ln -s /etc etc; ln -s ${outside} canary; mkdir -- -rf; touch 'two
lines' '*' ' '; cp /bin/sh shell; chmod 4755 shell; ln shell hard
perl -e 'for (1..5000) { mkdir "d" or die; chdir "d" or die } open F, ">file"' && echo done`
    expect((await ssh(made, login, 'sh', { input: script })).stdout).toBe('done\n')
    expect((await real.host.files.storage('two'))?.used).toBeGreaterThan(0)
    await real.host.engine.remove(made.engineId)
    await real.host.files.removeStorage('two')
    expect(await real.host.files.storage('two')).toBeUndefined()
    expect(await readFile(join(outside, 'alive'), 'utf8')).toBe('yes')
    expect((await run('losetup', ['-n', '-O', 'NAME', '-j', join(real.data, 'storage', 'two.img')])).stdout).toBe('')
  })

  test.each([32, 320])('a volume that has filled its storage of %d MiB can be removed', async (size) => {
    const owner = `full${size}`
    const { path } = await real.host.files.ensureStorage(owner, size * mebi)
    const volume = await real.host.files.ensureVolume(owner, 'filled')
    await writeFile(join(volume, 'small'), '')
    const fill = 'cat /dev/zero >big; while mkdir d$((n = n + 1)); do :; done; cat /dev/zero >>small; true'
    await run('sh', ['-c', `cd "$1" || exit; ${fill}`, 'sh', volume])
    await expect(mkdir(join(path, 'more'))).rejects.toThrow('ENOSPC')
    await real.host.files.removeVolume(owner, 'filled')
    await expect(access(volume)).rejects.toThrow('ENOENT')
    await writeFile(join(path, 'file'), 'there is room again')
    await real.host.files.removeStorage(owner)
  })

  test('D06: a storage that was moved away or replaced by a link is refused', async () => {
    const made = await enter()
    await real.host.engine.remove(made.engineId)
    await real.host.files.ensureStorage('moved', 32 * mebi)
    await run('umount', [join(real.data, 'storage', 'moved')])
    await rm(join(real.data, 'storage', 'moved.img'))
    await rename(join(real.data, 'storage', 'moved'), join(real.data, 'moved'))
    await symlink('/etc', join(real.data, 'storage', 'moved'))
    const refused = { fault: 'refused', message: expect.stringContaining('link') }
    await expect(real.host.files.ensureStorage('moved', 32 * mebi)).rejects.toMatchObject(refused)
    await expect(
      real.host.engine.create({
        ...made,
        mounts: { ...made.mounts, storage: join(real.data, 'storage', 'moved', 'data') },
      }),
    ).rejects.toMatchObject({ fault: 'refused' })
    for (const storage of [
      '/etc',
      join(real.data, 'storage'),
      join(real.data, 'storage', 'one'),
      `${real.data}/storage/../canary/data`,
    ])
      await expect(real.host.engine.create({ ...made, mounts: { ...made.mounts, storage } })).rejects.toMatchObject({
        fault: 'refused',
      })
    await rm(join(real.data, 'storage', 'moved'))
    await rm(join(real.data, 'moved'), { recursive: true })
  })

  test('where no file system can be mounted, a folder is measured, and deleted the same way', async () => {
    const [root, trash] = [join(real.data, 'plain'), join(real.data, 'plain-trash')]
    for (const path of [root, trash]) await mkdir(path, { mode: 0o700 })
    const plain = createStorages({
      root,
      trash,
      owner: async () => undefined,
      visible: async () => false,
      clear: async () => undefined,
      measure: async () => '',
      warn: () => undefined,
    })
    const made = await plain.ensure('one', 10 * mebi)
    expect(made).toMatchObject({ hard: false, limit: 10 * mebi })
    await writeFile(join(made.path, 'file'), Buffer.alloc(3 * mebi, 1))
    await symlink('/', join(made.path, 'root'))
    const deep = 'chdir $ARGV[0] or die; for (1..5000) { mkdir "d" or die; chdir "d" or die }'
    expect((await run('perl', ['-e', deep, made.path])).ok).toBe(true)
    const used = (await plain.read('one'))!.used
    expect(used).toBeGreaterThanOrEqual(3 * mebi)
    expect(used).toBeLessThan(64 * mebi)
    expect((await plain.ensure('one', 20 * mebi)).limit).toBe(20 * mebi)
    expect(await plain.list()).toEqual(['one'])
    await plain.remove('one')
    await plain.remove('one')
    expect(await plain.read('one')).toBeUndefined()
    expect((await run('ls', ['-A', trash])).stdout).toBe('')
  })
})
