import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { makeSecret } from '../../../src/core/hooks/secret.ts'
import { verify } from '../../../src/core/hooks/verify.ts'
import type { Scheme } from '../../../src/core/model/hook.ts'
import {
  gitea,
  github,
  gitlab,
  gitlabSigned,
  type Posted,
  type Sender,
  senders,
  standard,
} from '../../stand-ins/forges.ts'

const secret = makeSecret((bytes) => new Uint8Array(bytes).fill(7))
const other = makeSecret((bytes) => new Uint8Array(bytes).fill(8))
const now = new Date('2026-11-22T12:00:00Z')
const at = now.getTime() / 1000

const sent = ({ headers, body }: Posted) => ({
  header: (name: string) => headers[name] ?? null,
  body: Buffer.from(body),
})
const schemeOf = (sender: Sender) => sender.split(',')[0] as Scheme
const check = (sender: Sender, posted: Posted, secrets = [secret]) =>
  verify(schemeOf(sender), secrets, sent(posted), now)
const without = ({ headers, body }: Posted, name: string): Posted => {
  const { [name]: _, ...rest } = headers
  return { headers: rest, body }
}

const proofs = [
  'x-hub-signature-256',
  'x-gitlab-token',
  'webhook-signature',
  'webhook-id',
  'webhook-timestamp',
  'x-dcm-token',
  'x-gitea-signature',
  'x-forgejo-signature',
]
/** Headers that are the proof itself, for a scheme that takes this sender. */
const proofOf = (posted: Posted, scheme: Scheme) =>
  proofs.filter((name) => name in posted.headers && (name !== 'x-hub-signature-256' || scheme === 'github'))

describe.each(Object.keys(senders) as Sender[])('H01 %s', (sender) => {
  const make = (push = {}) => senders[sender](secret, { at, ...push })

  test("what is sent is taken, with the JSON in it and the sender's id", () => {
    const verified = check(sender, make({ delivery: 'delivery-1' }))
    expect(JSON.parse(Buffer.from(verified!.payload).toString())).toMatchObject({ ref: 'refs/heads/main' })
    expect(verified).toMatchObject({ key: 'delivery-1' })
    if (!['standard', 'token'].includes(sender)) expect(verified!.event).toBe('push')
  })

  test('H09 the secret of another is refused, and either is taken while two overlap', () => {
    const posted = make()
    expect(check(sender, posted, [other])).toBeUndefined()
    expect(check(sender, posted, [other, secret])).toBeDefined()
    expect(check(sender, posted, [secret, other])).toBeDefined()
    expect(check(sender, posted, [])).toBeUndefined()
  })

  test('every proof is asked for, and one that is changed, cut, doubled or empty is none', () => {
    const posted = make()
    const names = proofOf(posted, schemeOf(sender))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const value = posted.headers[name]!
      // Of two names for one signature the newer counts where both are there, and the older where it is alone.
      if (!(sender === 'gitea, forgejo' && name !== 'x-forgejo-signature')) {
        for (const wrong of [
          '',
          value.slice(0, -1),
          `${value}0`,
          `${value}${value}`,
          value.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
          'null',
        ])
          expect(
            check(sender, { ...posted, headers: { ...posted.headers, [name]: wrong } }),
            `${name}: ${wrong}`,
          ).toBeUndefined()
        if (name !== 'x-forgejo-signature') expect(check(sender, without(posted, name)), name).toBeUndefined()
      }
    }
  })

  test('a body that is not the one that was signed is refused', () => {
    // Who has seen a token has all that it proves.
    if (sender === 'gitlab' || sender === 'token') return expect(check(sender, { ...make(), body: '{}' })).toBeDefined()
    const posted = make()
    for (const body of [`${posted.body} `, posted.body.replace('main', 'evil'), '', '{}', posted.body.toUpperCase()])
      expect(check(sender, { ...posted, body }), body.slice(0, 40)).toBeUndefined()
  })

  test('it is taken under its own scheme alone', () => {
    for (const scheme of ['github', 'gitlab', 'gitea', 'standard', 'token'] as const) {
      if (scheme === schemeOf(sender)) continue
      // A signing token of GitLab's signs as Standard Webhooks do, and Gitea signs as GitHub does, beside its own.
      const alike =
        (scheme === 'standard' && sender === 'gitlab, signed') ||
        (scheme === 'github' && ['gitea', 'gitea, forgejo'].includes(sender)) ||
        (scheme === 'gitlab' && sender === 'standard')
      expect(verify(scheme, [secret], sent(make()), now) !== undefined, scheme).toBe(alike)
    }
  })
})

describe('H01 the time that is signed', () => {
  const cases: [string | number, boolean][] = [
    [at, true],
    [at - 300, true],
    [at + 300, true],
    [at - 301, false],
    [at + 301, false],
    [at + 86_400 * 365, false],
    [0, false],
    [-at, false],
    [at * 1000, false],
    ['NaN', false],
    ['', false],
    [`${at}.5`, false],
    [`0x${at.toString(16)}`, false],
    [`${at} `, false],
    ['Infinity', false],
  ]
  test.each(cases)('%s: %s', (when, good) => {
    for (const sender of ['standard', 'gitlab, signed'] as const) {
      const posted = senders[sender](secret, { at: when as number })
      expect(check(sender, posted) !== undefined, sender).toBe(good)
    }
  })
})

test('Standard Webhooks: one good signature among several is enough, and of another version none', () => {
  const posted = standard(secret, { at })
  const right = posted.headers['webhook-signature']!
  const wrong = standard(other, { at }).headers['webhook-signature']!
  const given = (signature: string) =>
    check('standard', { ...posted, headers: { ...posted.headers, 'webhook-signature': signature } }) !== undefined
  expect(given(`${wrong} ${right}`)).toBe(true)
  expect(given(`v1a,${right.slice(3)} ${right}`)).toBe(true)
  expect(given(`v2,${right.slice(3)}`)).toBe(false)
  expect(given(right.slice(3))).toBe(false)
})

test('the reference vector of Standard Webhooks is taken', () => {
  const body = '{"test": 2432232314}'
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }
  const posted = { header: (name: string) => headers[name as keyof typeof headers] ?? null, body: Buffer.from(body) }
  expect(
    verify('standard', ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], posted, new Date(1614265330_000)),
  ).toMatchObject({ key: 'msg_p5jXN8AQM9LWM0D4loKWxJek' })
})

test("GitHub's own example of a signature is taken", () => {
  // GitHub docs, "Validating webhook deliveries": testing the webhook payload validation.
  const headers = { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' }
  const posted = {
    header: (name: string) => headers[name as keyof typeof headers] ?? null,
    body: Buffer.from('Hello, World!'),
  }
  expect(verify('github', ["It's a Secret to Everybody"], posted, now)).toBeDefined()
})

test('GitLab: a token does not save a delivery whose signature is wrong', () => {
  const posted = gitlabSigned(other, { at })
  expect(check('gitlab', { ...posted, headers: { ...posted.headers, 'x-gitlab-token': secret } })).toBeUndefined()
})

test("Forgejo: a good signature under Gitea's name does not save a bad one under its own", () => {
  const posted = gitea(secret)
  expect(check('gitea', { ...posted, headers: { ...posted.headers, 'x-forgejo-signature': 'ff' } })).toBeUndefined()
})

test('what is once is told by the bytes where the id is not signed', () => {
  expect(check('github', github(secret))!.signed).not.toBeNull()
  expect(check('gitea', gitea(secret))!.signed).not.toBeNull()
  expect(check('gitlab', gitlab(secret))!.signed).toBeNull()
  const old = without(gitlab(secret), 'idempotency-key')
  expect(check('gitlab', old)).toMatchObject({ key: null, signed: expect.anything() })
  expect(check('standard', standard(secret, { at }))!.signed).toBeNull()
})

test("GitLab's names of events are those of its payloads", () => {
  const named = (event: string) => check('gitlab', gitlab(secret, { event }))!.event
  expect(['Push Hook', 'Tag Push Hook', 'Merge Request Hook', 'Pipeline Hook'].map(named)).toEqual([
    'push',
    'tag_push',
    'merge_request',
    'pipeline',
  ])
})

test('a SHA-1 signature proves nothing', () => {
  const { body, headers } = github(secret)
  const sha1 = createHmac('sha1', secret).update(body).digest('hex')
  expect(check('github', { body, headers: { ...headers, 'x-hub-signature-256': `sha1=${sha1}` } })).toBeUndefined()
})
