import { verifySlackRequest } from '@slack/bolt'

/** How far a request's clock may be from ours, either way, in seconds (docs.slack.dev, verifying-requests-from-slack). */
const window = 300

/**
 * Whether Slack signed this body, lately. Bolt refuses old timestamps only; one from the future would be good for as
 * long as its sender likes, so both ends are checked here.
 */
export function isSigned(secret: string, headers: Headers, body: string, now: number): boolean {
  const stamp = headers.get('x-slack-request-timestamp') ?? ''
  const signature = headers.get('x-slack-signature') ?? ''
  if (!/^[1-9]\d{8,10}$/.test(stamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false
  if (Math.abs(Math.floor(now / 1000) - Number(stamp)) > window) return false
  try {
    verifySlackRequest({
      signingSecret: secret,
      body,
      headers: { 'x-slack-signature': signature, 'x-slack-request-timestamp': Number(stamp) },
      nowMilliseconds: now,
    })
    return true
  } catch {
    return false
  }
}

/** Remembers signatures for as long as they could be good. */
export function createSeen(now: () => number) {
  const seen = new Map<string, number>()
  return (signature: string): boolean => {
    const at = now()
    // Insertion order is age: what is too old to be good again stands first.
    for (const [old, until] of seen) {
      if (until > at && seen.size < 20_000) break
      seen.delete(old)
    }
    if (seen.has(signature)) return true
    seen.set(signature, at + 2 * window * 1000)
    return false
  }
}
