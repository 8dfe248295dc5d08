import { describe, expect, test } from 'vitest'
import { checkCondition, unmet } from '../../../src/core/hooks/condition.ts'
import { eventOf, fits, placesOf, readPayload } from '../../../src/core/hooks/payload.ts'
import type { PlaceName } from '../../../src/core/model/hook.ts'
import { type Sender, senders } from '../../stand-ins/forges.ts'

const sha = '6dcb09b5b57875f334f61aebed695e2e4193db5e'
const json = (text: string) => readPayload(Buffer.from(text))

describe('what a place may hold', () => {
  const good: Record<PlaceName, string[]> = {
    ref: [
      'main',
      'refs/heads/main',
      'refs/tags/v1.2.3',
      'feature/a_b-c+d',
      'release/2026.11',
      'v1',
      'refs/pull/7/merge',
    ],
    sha: [sha, 'a'.repeat(64)],
    image: [
      'web',
      'web:v1',
      'ghcr.io/octo-org/web:sha-6dcb09b',
      'localhost:5000/a/b',
      `registry.example/x@sha256:${'0'.repeat(64)}`,
    ],
    repository: ['web', 'octo-org/web', 'Group/sub.group/Project_1'],
  }
  test.each(Object.entries(good))('%s', (name, texts) => {
    for (const text of texts) expect(fits(name as PlaceName, text), text).toBe(true)
  })

  const bad = [
    ...[
      '',
      ' ',
      '-rf',
      '--force',
      '--yes',
      '-',
      'a b',
      'a\tb',
      'a\nb',
      'a\0b',
      "a'b",
      'a"b',
      'a;b',
      'a|b',
      'a&b',
      '$(id)',
      '`id`',
      'a$b',
      'a\\b',
    ],
    ...[
      '../x',
      'a/../b',
      'a//b',
      '/abs',
      '{sha}',
      '{ref}',
      'a*',
      'a?',
      '~root',
      'a<b',
      'a>b',
      'a(b)',
      'é',
      'a\u202eb',
      '%2e%2e',
      'a=b',
      'a,b',
      '!x',
      '#x',
    ],
    'a'.repeat(400),
  ]
  test.each(['ref', 'sha', 'image', 'repository'] as const)('nothing else: %s', (name) => {
    for (const text of bad) expect(fits(name, text), JSON.stringify(text)).toBe(false)
  })

  test('a commit that is no commit is none', () => {
    for (const text of ['0'.repeat(40), sha.toUpperCase(), sha.slice(1), `${sha}0`, 'main'])
      expect(fits('sha', text), text).toBe(false)
  })
})

test.each(Object.keys(senders) as Sender[])('the places are found in what %s sends', (sender) => {
  const { body, headers } = senders[sender]('whsec_AAAA', { ref: 'refs/heads/main', sha, repository: 'octo-org/web' })
  const text = headers['content-type'] === 'application/json' ? body : new URLSearchParams(body).get('payload')!
  expect(placesOf(json(text)!)).toEqual({ ref: 'refs/heads/main', sha, repository: 'octo-org/web' })
})

test('the places are found in other events too', () => {
  expect(
    placesOf(
      json(
        JSON.stringify({
          action: 'completed',
          workflow_run: { head_branch: 'main', head_sha: sha, conclusion: 'success' },
          repository: { full_name: 'o/r' },
        }),
      )!,
    ),
  ).toEqual({ ref: 'main', sha, repository: 'o/r' })
  expect(
    placesOf(
      json(
        JSON.stringify({
          object_kind: 'pipeline',
          object_attributes: { ref: 'main', sha, status: 'success' },
          project: { path_with_namespace: 'g/p' },
        }),
      )!,
    ),
  ).toEqual({ ref: 'main', sha, repository: 'g/p' })
  expect(
    placesOf(json(JSON.stringify({ registry_package: { package_version: { package_url: 'ghcr.io/o/web:v1' } } }))!),
  ).toEqual({ image: 'ghcr.io/o/web:v1' })
  expect(placesOf(json('{"image":"web:v2"}')!)).toEqual({ image: 'web:v2' })
})

test('what is of another form or type stays open, and nothing is found on a prototype', () => {
  expect(
    placesOf(json('{"ref":"--force","after":"x; rm -rf /","repository":{"full_name":["o/r"]},"image":7}')!),
  ).toEqual({})
  expect(placesOf(json('{"__proto__":{"ref":"main"},"repository":{"__proto__":{"full_name":"o/r"}}}')!)).toEqual({})
})

test('only a JSON object is a payload', () => {
  for (const text of ['[]', '1', 'null', '"x"', '{', '', '\u{feff}', '[['.repeat(50_000)])
    expect(json(text), text.slice(0, 20)).toEqual(text === '' ? {} : undefined)
  expect(readPayload(Uint8Array.of(0x7b, 0xff, 0x7d))).toBeUndefined()
  const deep = `{"ref":"main","a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  expect(placesOf(json(deep)!)).toEqual({ ref: 'main' })
})

test('an event is a word, from the headers or else from the payload', () => {
  expect(eventOf({}, 'push')).toBe('push')
  expect(eventOf({ type: 'build.finished' }, null)).toBe('build.finished')
  expect(eventOf({ object_kind: 'push' }, null)).toBe('push')
  for (const odd of ['a b', 'x'.repeat(90), '<b>', '']) expect(eventOf({}, odd), odd).toBeNull()
  expect(eventOf({ event: { a: 1 } }, null)).toBeNull()
})

describe('conditions', () => {
  const payload = json(
    JSON.stringify({ deleted: false, size: 3, workflow_run: { conclusion: 'success', tags: ['a'] } }),
  )!
  const seen = { event: 'push', places: { ref: 'refs/heads/main', sha }, payload }
  const tagged = { ...seen, places: { ref: 'refs/tags/v1.2' } }

  test.each([
    'ref=refs/heads/main',
    'ref=refs/heads/*',
    'branch=main',
    'branch=*',
    `sha=${sha}`,
    'event=push',
    'workflow_run.conclusion=success',
    'deleted=false',
    'size=3',
  ])('%s holds', (text) => {
    expect(unmet([checkCondition(text)], seen)).toBeUndefined()
  })

  test.each([
    'ref=main',
    'branch=mai',
    'branch=dev',
    'tag=*',
    'image=*',
    'event=',
    'deleted=true',
    'workflow_run=*',
    'workflow_run.tags=*',
    'workflow_run.none=',
    '__proto__=*',
    'constructor.name=*',
    'toString=*',
  ])('%s does not hold', (text) => {
    expect(unmet([checkCondition(text)], seen)).toBe(text)
  })

  test('all must hold, and the first that does not is named', () => {
    expect(unmet(['branch=main', 'size=4', 'deleted=true'], seen)).toBe('size=4')
    expect(unmet([], seen)).toBeUndefined()
  })

  test('a tag is no branch', () => {
    expect(unmet(['tag=v1*'], tagged)).toBeUndefined()
    expect(unmet(['branch=*'], tagged)).toBe('branch=*')
  })

  test.each(['', 'ref', '=x', 'a b=c', '-x=1', 'a..b=1', 'a=b\nc', `a=${'x'.repeat(201)}`, `${'a.'.repeat(9)}a=1`])(
    '%j is none',
    (text) => {
      expect(() => checkCondition(text)).toThrow(/is no condition/)
    },
  )
})
