import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Scheme } from '../model/hook.ts'

/** A request as it arrived: `body` is the raw bytes, for it is these that are signed. */
export type Sent = { header(name: string): string | null; body: Uint8Array }

/** A request that is who it says it is. */
export type Verified = {
  event: string | null
  /** The sender's id for this delivery. */
  key: string | null
  /** What is signed, where that is all that tells one delivery from another: the same again is the same delivery. */
  signed: Uint8Array | null
  /** The JSON in it. */
  payload: Uint8Array
}

/** How far a sender's clock may be off, both ways: Standard Webhooks 1.0, "Verifying webhook authenticity". */
const window = 300

/** Compares without telling by its time how much is equal; the digests make both sides of one length. */
export const same = (given: string, right: string): boolean => {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(right))
}

/** Whether one of the secrets makes what was given; every one is tried, so that the time says nothing about which. */
const any = (secrets: readonly string[], good: (secret: string) => boolean): boolean =>
  secrets.map(good).reduce((one, other) => one || other, false)

const hexOf = (secret: string, bytes: Uint8Array) => createHmac('sha256', secret).update(bytes).digest('hex')

/** The bytes that a Standard Webhooks secret stands for: base64 after `whsec_`. */
const keyOf = (secret: string) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64')

/** Standard Webhooks 1.0: `webhook-signature` lists `v1,BASE64` of HMAC-SHA256 over `id.timestamp.body`. */
function signedStandard(secrets: readonly string[], sent: Sent, now: Date): boolean {
  const [id, at, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(
    (name) => sent.header(name) ?? '',
  )
  const when = /^\d{1,12}$/.test(at!) ? Number(at) : Number.NaN
  const timely = Math.abs(now.getTime() / 1000 - when) <= window
  const signatures = given!.split(' ').slice(0, 10)
  const good = any(secrets, (secret) => {
    const right = createHmac('sha256', keyOf(secret)).update(`${id}.${at}.`).update(sent.body).digest('base64')
    return any(signatures, (one) => same(one, `v1,${right}`))
  })
  return good && timely && id !== ''
}

/** An id that can be kept as it is; any other is told by the bytes instead. */
const idOf = (text: string | null | undefined): string | null =>
  text && /^[\x21-\x7e]{1,200}$/.test(text) ? text : null

/** What stands in a form's `payload`, as GitHub and Gitea send it when told to; undefined when it is not a form. */
function formPayload(sent: Sent): Uint8Array | undefined {
  if (!/^application\/x-www-form-urlencoded\b/i.test(sent.header('content-type') ?? '')) return undefined
  return Buffer.from(new URLSearchParams(Buffer.from(sent.body).toString('utf8')).get('payload') ?? '')
}

/** `Push Hook` is `push`, `Merge Request Hook` is `merge_request`: GitLab docs, "Webhook events". */
const gitlabEvent = (text: string | null) =>
  text &&
  text
    .replace(/ Hook$/, '')
    .toLowerCase()
    .replaceAll(' ', '_')

const schemes: Record<Scheme, (secrets: readonly string[], sent: Sent, now: Date) => Verified | undefined> = {
  /** GitHub docs, "Validating webhook deliveries": `X-Hub-Signature-256: sha256=HEX` over the raw body, form or JSON. */
  github(secrets, sent) {
    const given = sent.header('x-hub-signature-256') ?? ''
    if (!any(secrets, (secret) => same(given, `sha256=${hexOf(secret, sent.body)}`))) return undefined
    const key = idOf(sent.header('x-github-delivery'))
    return { event: sent.header('x-github-event'), key, signed: sent.body, payload: formPayload(sent) ?? sent.body }
  },

  /**
   * Gitea and Forgejo docs, "Webhooks": bare hex in a header of their own name. Of a form Gitea signs the JSON inside
   * (services/webhook/deliver.go).
   */
  gitea(secrets, sent) {
    const header = (name: string) => sent.header(`x-forgejo-${name}`) ?? sent.header(`x-gitea-${name}`)
    const payload = formPayload(sent) ?? sent.body
    const given = header('signature') ?? ''
    if (!any(secrets, (secret) => same(given, hexOf(secret, payload)))) return undefined
    return { event: header('event'), key: idOf(header('delivery')), signed: payload, payload }
  },

  /**
   * GitLab docs, "Webhooks": a signing token signs as Standard Webhooks do; the older secret token comes as it is in
   * `X-Gitlab-Token`. A signature that is there has to be right, whatever else is.
   */
  gitlab(secrets, sent, now) {
    const signed = sent.header('webhook-signature') !== null
    const token = sent.header('x-gitlab-token') ?? ''
    const good = signed ? signedStandard(secrets, sent, now) : any(secrets, (secret) => same(token, secret))
    if (!good) return undefined
    const key = idOf(sent.header(signed ? 'webhook-id' : 'idempotency-key'))
    // GitLab before 17.4 sends no id; no two of its events have the same bytes.
    return {
      event: gitlabEvent(sent.header('x-gitlab-event')),
      key,
      signed: key === null ? sent.body : null,
      payload: sent.body,
    }
  },

  standard(secrets, sent, now) {
    if (!signedStandard(secrets, sent, now)) return undefined
    const key = idOf(sent.header('webhook-id'))
    return { event: null, key, signed: key === null ? sent.body : null, payload: sent.body }
  },

  /** For a step of one's own: the secret itself, which only TLS or loopback keeps. Without an id each request is one of its own. */
  token(secrets, sent) {
    const given = sent.header('x-dcm-token') ?? /^Bearer +(\S+)$/i.exec(sent.header('authorization') ?? '')?.[1] ?? ''
    if (!any(secrets, (secret) => same(given, secret))) return undefined
    return {
      event: sent.header('x-dcm-event'),
      key: idOf(sent.header('idempotency-key')),
      signed: null,
      payload: sent.body,
    }
  },
}

/**
 * Checks that a request was made by who has one of the secrets, and now where the scheme has a time.
 * @returns undefined when it was not, in the same time whatever was wrong
 */
export const verify = (scheme: Scheme, secrets: readonly string[], sent: Sent, now: Date): Verified | undefined =>
  schemes[scheme](secrets, sent, now)
