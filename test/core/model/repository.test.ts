import { expect, test } from 'vitest'
import { isRemote, parseRepository } from '../../../src/core/model/repository.ts'

test.each([
  ['https://git.example.com/a/b.git', 'https://git.example.com/a/b.git', 'HEAD', '.'],
  ['https://git.example.com/a/b.git#main', 'https://git.example.com/a/b.git', 'main', '.'],
  ['http://web:8080/b#refs/heads/x-1:/sub//./dir/', 'http://web:8080/b', 'refs/heads/x-1', 'sub/dir'],
  ['https://h/b.git#:docker', 'https://h/b.git', 'HEAD', 'docker'],
  [
    'HTTPS://[::1]/b#0123456789abcdef0123456789abcdef01234567',
    'https://[::1]/b',
    '0123456789abcdef0123456789abcdef01234567',
    '.',
  ],
])('%s', (text, url, ref, folder) => {
  expect(isRemote(text)).toBe(true)
  expect(parseRepository(text)).toEqual({ url, ref, folder })
})

test.each([
  'file:///etc',
  'ssh://git@host/x.git',
  'git://host/x.git',
  'ftp://host/x',
  'git@host:team/x.git',
  'ext::sh -c id'.replaceAll(' ', '%20'),
  'fd::17',
])('another way than http is refused with what to do: %s', (text) => {
  expect(isRemote(text)).toBe(true)
  expect(parseRepository(text)).toMatch(/by http:\/\/ or https:\/\/ alone; clone others inside a container/)
})

test.each(['https://ada:hunter2@host/x.git', 'https://hunter2@host/x.git', 'https://:hunter2@host/x'])(
  'a password has no place in it, and is not repeated: %s',
  (text) => {
    expect(parseRepository(text)).toMatch(/^A URL with a password in it would be kept/)
    expect(parseRepository(text)).not.toMatch(/hunter2/)
  },
)

test.each([
  'https://',
  'https://--upload-pack=id/x',
  'https://-x/y',
  'https://h/x#--upload-pack=id',
  'https://h/x#-b',
  'https://h/x#+a',
  'https://h/x#a..b',
  'https://h/x#a@{1}',
  'https://h/x#a b',
  'https://h/x#a*',
  'https://h/x#a\nb',
  'https://h/x#main:../up',
  'https://h/x#main:a/../../b',
  `https://h/x#${'a'.repeat(300)}`,
])('what could be an option, a pattern or a way up is none: %j', (text) => {
  expect(typeof parseRepository(text)).toBe('string')
})

test.each(['FROM debian', './app', 'app', 'FROM https://x', '-', '', 'FROM a\nRUN git clone git@h:x'])(
  'what is no remote is not taken for one: %j',
  (text) => {
    expect(isRemote(text)).toBe(false)
  },
)
