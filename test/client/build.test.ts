import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readBuild } from '../../src/client/build.ts'
import { readIgnore } from '../../src/client/ignore.ts'
import { build } from '../../src/commands/image/build.ts'
import type { Arg } from '../../src/core/command/define.ts'

let folder: string
const left: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcm-build-'))
  left.length = 0
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const put = async (path: string, text = 'x') => {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), text)
}
const read = (...words: string[]) =>
  readBuild(['build', ...words], { home: folder, stdin: Readable.from([]), left: (path) => void left.push(path) })
/** What a build would send, with the names in its tar. */
async function sent(...words: string[]) {
  const upload = await read(...words)
  if (Array.isArray(upload)) throw new Error(`no upload: ${upload.join(' ')}`)
  const names = execFileSync('tar', ['-tf', '-'], { input: await buffer(upload.tar) }).toString()
  const query = Object.fromEntries(new URL(upload.path, 'http://dcm').searchParams)
  return { names: names.split('\n').filter(Boolean).toSorted(), query, headers: upload.headers }
}

describe('.dockerignore', () => {
  test.each<[string, string[], string[]]>([
    ['node_modules\n*.log', ['node_modules', 'node_modules/a/b', 'x.log'], ['src/x.log', 'node_module', 'src']],
    ['**/*.log', ['x.log', 'a/b/x.log'], ['x.logs', 'log']],
    ['/build/\n./dist', ['build', 'build/x', 'dist/y'], ['src/build', 'distance']],
    ['*/temp*', ['a/temporary', 'a/temp/x'], ['temp', 'a/b/temp']],
    ['temp?', ['tempa', 'tempb/c'], ['temp', 'temp/']],
    ['*.md\n!README.md', ['a.md'], ['README.md', 'a/b.md']],
    ['*.md\n!README*.md\nREADME-secret.md', ['README-secret.md', 'x.md'], ['README-1.md', 'README.md']],
    ['docs\n!docs/keep', ['docs', 'docs/x'], ['docs/keep', 'docs/keep/x']],
    ['# a comment\n\n  .env  ', ['.env'], ['# a comment', 'env']],
    ['a/../b', ['b'], ['a']],
    ['[a-c].txt\n[^x]y', ['a.txt', 'ay'], ['d.txt', 'xy']],
    ['a\\*b\n(c|d)+', ['a*b', '(c|d)+'], ['axb', 'c']],
    ['**', ['a', 'a/b'], []],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'b']],
    ['a/**/z', ['a/z', 'a/b/c/z'], ['a', 'z']],
  ])('%j', (text, ignored, kept) => {
    const ignore = readIgnore(text)
    expect(ignored.filter((path) => !ignore.file(path))).toEqual([])
    expect(kept.filter((path) => ignore.file(path))).toEqual([])
  })

  test('a folder is left out unread only where nothing in it can be brought back', () => {
    expect(readIgnore('docs').within('docs')).toBe(true)
    expect(readIgnore('docs\n!docs/keep').within('docs')).toBe(false)
  })

  test('a pattern that is none is told, not guessed at', () => {
    expect(() => readIgnore('a[b')).toThrow(/^"a\[b" in \.dockerignore is no pattern/)
  })

  test('no pattern takes for ever', () => {
    const long = 'a'.repeat(4000)
    for (const pattern of [
      `${'a*'.repeat(50)}b`,
      `${'**/'.repeat(20_000)}b`,
      `${'a*/**/'.repeat(50)}b`,
      '*'.repeat(50_000),
    ])
      expect(readIgnore(pattern).file(long)).toBe(/^\*+$/.test(pattern))
  })
})

describe('a folder', () => {
  test('is sent as it is, but for what .dockerignore names; the Dockerfile always is', async () => {
    for (const path of ['Dockerfile', 'src/a', 'node_modules/x/y', 'docs/b', 'docs/keep/c']) await put(path)
    await put('.dockerignore', 'node_modules\nDockerfile\n.dockerignore\ndocs\n!docs/keep\n')
    await symlink('/etc/passwd', join(folder, 'link'))
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const { names, query, headers } = await sent('web:v1', folder)
    expect(names).toEqual(['Dockerfile', 'docs/keep', 'docs/keep/c', 'link', 'src', 'src/a'])
    expect(query).toEqual({ image: 'web:v1', dockerfile: '-', wait: '300', file: 'Dockerfile' })
    expect(headers).toEqual({})
    expect(left).toEqual([join(folder, 'pipe')])
  })

  test('with what docker build takes, and values of --build-arg in no address', async () => {
    await put('docker/Dockerfile.dev')
    await put('docker/Dockerfile.dev.dockerignore', 'a')
    await put('.dockerignore', 'b')
    for (const name of ['a', 'b']) await put(name)
    const flags = ['-t', 'web:v1', '-f', 'docker/Dockerfile.dev', '-m1g', '--cpus=2', '--build-arg', 'KEY=hüsh']
    const { names, query, headers } = await sent(...flags, '--dry-run', folder)
    expect(names).toEqual([
      '.dockerignore',
      'b',
      'docker',
      'docker/Dockerfile.dev',
      'docker/Dockerfile.dev.dockerignore',
    ])
    expect(query).toMatchObject({
      image: 'web:v1',
      file: 'docker/Dockerfile.dev',
      memory: '1g',
      cpus: '2',
      'dry-run': 'true',
    })
    expect(headers).toEqual({ 'DCM-Arguments': '{"build-arg":["KEY=h\\u00fcsh"]}' })
    // The same Dockerfile as somebody names it who stands elsewhere.
    expect((await sent('web:v1', folder, '-f', join(folder, 'docker/Dockerfile.dev'))).query['file']).toBe(
      'docker/Dockerfile.dev',
    )
  })

  // A flag that is not known here would make a word of the folder, which the service then refuses as a file.
  test.each(Object.entries<Arg>(build.args).filter(([, arg]) => arg.flag || arg.kind === 'flag'))(
    'with --%s, as the command has it',
    async (name, { kind, short }) => {
      await put('Dockerfile')
      for (const flag of [`--${name}`, ...(short ? [`-${short}`] : [])]) {
        const value = name === 'file' ? 'Dockerfile' : 'A=7'
        const { query, headers } = await sent('web:v1', folder, flag, ...(kind === 'flag' ? [] : [value]))
        const hidden = JSON.parse(headers['DCM-Arguments'] ?? '{}') as Record<string, string[]>
        expect(query[name] ?? hidden[name]?.[0], flag).toBe(kind === 'flag' ? 'true' : value)
      }
    },
  )

  test('without a Dockerfile, or that is none, is told before anything is sent', async () => {
    await put('file')
    await expect(read('web:v1', folder)).rejects.toThrow(/^There is no Dockerfile in .*; name the Dockerfile there/)
    await put('Dockerfile')
    await expect(read('web:v1', folder, '-f', '../../etc/passwd')).rejects.toThrow(/^There is no /)
    await expect(read('web:v1', join(folder, 'file'))).rejects.toThrow(/is no folder here; a Dockerfile alone/)
    await expect(read('web:v1', './none-of-that-name')).rejects.toThrow(/is no folder here/)
    await expect(read('web:v1', folder, '--build-arg', `A=${'x'.repeat(13_000)}`)).rejects.toThrow(/too long together/)
  })
})

test.each<[string[], string[]]>([
  [
    ['web:v1', '@Dockerfile', '--context', 'app'],
    ['web:v1', '@Dockerfile', '--context', 'app'],
  ],
  [
    ['-t', 'web:v1', 'https://h/x.git'],
    ['web:v1', 'https://h/x.git'],
  ],
  [['web:v1'], ['web:v1']],
  [
    ['web:v1', 'FROM debian\nRUN x'],
    ['web:v1', 'FROM debian\nRUN x'],
  ],
  [
    ['web:v1', '.', '--unheard-of', 'x'],
    ['web:v1', '.', '--unheard-of', 'x'],
  ],
  [
    ['web:v1', '.', '.'],
    ['web:v1', '.', '.'],
  ],
])('what is no folder goes to the service as words: %j', async (words, given) => {
  expect(await read(...words)).toEqual(['build', ...given])
})
