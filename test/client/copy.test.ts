import { mkdtemp, mkdir, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pack as begin, type Header } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pack } from '../../src/client/pack.ts'
import { unpack } from '../../src/client/unpack.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcm-copy-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A tar of these entries, as somebody inside a container might make it. */
function tarOf(...entries: (Partial<Header> & { name: string; text?: string })[]): Readable {
  const tar = begin()
  for (const { text, ...header } of entries) tar.entry({ mode: 0o755, ...header }, text ?? '')
  tar.finalize()
  return tar as unknown as Readable
}

const there = async () => (await readdir(folder, { recursive: true })).toSorted()

describe('packing', () => {
  test('a folder goes under its name with links as links, owned by root, and comes out the same', async () => {
    const site = join(folder, 'site')
    await mkdir(join(site, 'sub'), { recursive: true })
    await writeFile(join(site, 'run.sh'), 'echo hi\n', { mode: 0o755 })
    await writeFile(join(site, 'sub', 'empty'), '')
    await symlink('/etc/passwd', join(site, 'link'))
    execFileSync('mkfifo', [join(site, 'pipe')])
    const left: string[] = []
    const packed = await pack(site, (path) => left.push(path))
    expect(packed.name).toBe('site')
    const bytes = await buffer(packed.tar)
    expect(left).toEqual([join(site, 'pipe')])
    const list = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input: bytes }).toString()
    expect(list).toMatch(/^-rwxr-xr-x 0\/0 .* site\/run\.sh$/m)
    expect(list).toMatch(/^lrwx.* site\/link -> \/etc\/passwd$/m)
    expect(list).toMatch(/^drwx.* site\/sub\/?$/m)
    expect(list).not.toContain('pipe')
  })

  test('dir/. is what the folder holds, a missing path and a name of 300 characters are no trouble', async () => {
    const long = 'x'.repeat(150)
    await mkdir(join(folder, 'a', long), { recursive: true })
    await writeFile(join(folder, 'a', long, `${long}é`), 'deep')
    const packed = await pack(join(folder, 'a', '.'), () => undefined)
    expect(packed.name).toBe('a')
    const contents = await pack(`${folder}/a/.`, () => undefined)
    expect(contents.name).toBeUndefined()
    const { at } = await unpack(contents.tar, join(folder, 'b'), undefined)
    expect(await readFile(join(at, long, `${long}é`), 'utf8')).toBe('deep')
    await expect(pack(join(folder, 'none'), () => undefined)).rejects.toThrow(
      /none cannot be copied: .*it is not there\.$/,
    )
  })

  test('a file that cannot be read to its end breaks the tar off', async () => {
    await mkdir(join(folder, 'a'))
    await symlink('loop', join(folder, 'a', 'loop'))
    // More than is read ahead: whichever is the first, the others are not read yet.
    const names = ['z1', 'z2', 'z3']
    for (const name of names) await writeFile(join(folder, 'a', name), Buffer.alloc(1024 * 1024))
    const { tar } = await pack(join(folder, 'a'), () => undefined)
    const chunks = tar[Symbol.asyncIterator]()
    await chunks.next()
    for (const name of names) await rm(join(folder, 'a', name))
    const rest = async () => {
      while (!(await chunks.next()).done);
    }
    await expect(rest()).rejects.toThrow(/^Reading failed: .*z\d: it is not there\.$/)
  })
})

describe('unpacking', () => {
  const file = (name: string, text = 'text') => ({ name, type: 'file' as const, text })

  test('goes into a folder that is there, or becomes the name that is given', async () => {
    await mkdir(join(folder, 'in'))
    expect(await unpack(tarOf(file('log', 'one')), join(folder, 'in'), 'log')).toEqual({
      at: join(folder, 'in', 'log'),
      left: [],
    })
    expect(await unpack(tarOf(file('log', 'two')), join(folder, 'new'), 'log')).toEqual({
      at: join(folder, 'new'),
      left: [],
    })
    expect(await readFile(join(folder, 'in', 'log'), 'utf8')).toBe('one')
    expect(await readFile(join(folder, 'new'), 'utf8')).toBe('two')
    await expect(unpack(tarOf(file('log')), join(folder, 'in'), 'log')).rejects.toThrow(
      /in\/log is already there; choose another name\.$/,
    )
    await expect(unpack(tarOf(file('log')), join(folder, 'no', 'x'), 'log')).rejects.toThrow(/^There is no folder /)
    await expect(unpack(tarOf(file('log')), join(folder, 'no/'), 'log')).rejects.toThrow(/is not there; give a folder/)
    expect(await there()).toEqual(['in', 'in/log', 'new'])
  })

  test.each([
    ['a way up', [file('log/../../evil')]],
    ['an absolute name', [file('/evil')]],
    ['another name than was asked for', [file('evil')]],
    ['a file behind a link', [{ name: 'log/l', type: 'symlink', linkname: 'd' }, file('log/l/evil')]],
    [
      'a folder in the place of a link',
      [
        { name: 'log/l', type: 'symlink', linkname: 'd' },
        { name: 'log/l', type: 'directory' },
      ],
    ],
    ['a file over a link', [{ name: 'log/l', type: 'symlink', linkname: 'd' }, file('log/l')]],
    ['a file twice', [file('log/a'), file('log/a')]],
    ['a hard link up', [{ name: 'log/h', type: 'link', linkname: '../../etc/passwd' }]],
  ] as [string, (Partial<Header> & { name: string })[]][])('%s is refused, and nothing is left', async (_, entries) => {
    await expect(unpack(tarOf(...entries), folder, 'log')).rejects.toThrow(
      /that is no honest tar, and nothing was written\.$/,
    )
    expect(await there()).toEqual([])
  })

  test.each(['/etc/passwd', '../../x', '../..', 'd/../../x', '..', ''])(
    'a link to %j, which leads out, is left out',
    async (linkname) => {
      const { left } = await unpack(tarOf(file('log/a'), { name: 'log/l', type: 'symlink', linkname }), folder, 'log')
      expect(left).toEqual(['log/l'])
      expect(await there()).toEqual(['log', 'log/a'])
    },
  )

  test('links inside, hard links, modes without set-id bits and devices left out', async () => {
    const tar = tarOf(
      { name: 'log', type: 'directory', mode: 0o500 },
      { ...file('log/run'), mode: 0o6755 },
      { name: 'log/sub/l', type: 'symlink', linkname: '../run' },
      { name: 'log/same', type: 'link', linkname: 'log/run' },
      { name: 'log/dev', type: 'character-device', devmajor: 1, devminor: 3 },
      { name: 'log/other', type: 'link', linkname: 'log/none' },
    )
    expect((await unpack(tar, folder, 'log')).left).toEqual(['log/dev', 'log/other'])
    expect(await readlink(join(folder, 'log', 'sub', 'l'))).toBe('../run')
    const run = await stat(join(folder, 'log', 'run'))
    expect(run.mode & 0o7000).toBe(0)
    expect(run.nlink).toBe(2)
  })

  test('what breaks off leaves nothing, and says so', async () => {
    const whole = await buffer(tarOf({ name: 'log', type: 'directory' }, file('log/a', 'x'.repeat(100_000))))
    const broken = async function* () {
      yield whole.subarray(0, 50_000)
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    }
    await expect(unpack(Readable.from(broken()), folder, 'log')).rejects.toThrow(
      /^The copy was cut short, and nothing of it was kept/,
    )
    await expect(unpack(Readable.from([whole.subarray(0, 50_000)]), folder, 'log')).rejects.toThrow(
      /^The copy was cut short/,
    )
    expect(await there()).toEqual([])
  })

  test('contents go beside what is there, and never over it', async () => {
    await writeFile(join(folder, 'b'), 'mine')
    await unpack(tarOf({ name: './', type: 'directory' }, file('./a')), folder, undefined)
    await expect(unpack(tarOf(file('./c'), file('./b')), folder, undefined)).rejects.toThrow(/b is already there/)
    expect(await there()).toEqual(['a', 'b'])
    expect(await readFile(join(folder, 'b'), 'utf8')).toBe('mine')
  })
})
