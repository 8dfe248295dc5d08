import type { Hook, Scheme } from '../model/hook.ts'
import type { Place } from '../model/place.ts'

/** Where a hook is sent to. */
export const hookUrl = (place: Place, hook: Pick<Hook, 'id'>): string =>
  `${place.publicUrl.replace(/\/$/, '')}/v1/hooks/${hook.id}`

/** Whether the address is one that only this machine has, so that no forge reaches it. */
export const isLocal = (url: string): boolean => /^https?:\/\/(?:localhost|127\.|\[::1\])/.test(url)

const events = (hook: Hook, all: string) => (hook.events.length > 0 ? hook.events.join(', ') : all)

/** What to paste where, for each kind of sender. The names of fields are those of its own pages. */
const pages: Record<Scheme, (hook: Hook, url: string, secret: string) => string> = {
  github: (hook, url, secret) => `GitHub: the repository's Settings > Webhooks > Add webhook.
  Payload URL:   ${url}
  Content type:  application/json
  Secret:        ${secret}
  Events:        ${events(hook, 'those that it is for')}
GitHub then sends a ping, which hook log ${hook.name} shows.`,

  gitlab: (hook, url, secret) => `GitLab: the project's Settings > Webhooks > Add new webhook.
  URL:            ${url}
  Signing token:  ${secret}
  Trigger:        ${events(hook, 'those that it is for')}
A GitLab that has no signing token yet takes the same text as Secret token.`,

  gitea: (
    hook,
    url,
    secret,
  ) => `Gitea or Forgejo: the repository's Settings > Webhooks > Add Webhook > Gitea (or Forgejo).
  Target URL:         ${url}
  HTTP Method:        POST
  POST Content Type:  application/json
  Secret:             ${secret}
  Trigger On:         ${events(hook, 'those that it is for')}
An instance that shares this machine needs it in [webhook] ALLOWED_HOST_LIST.`,

  standard: (_, url, secret) => `Any sender of Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature).
  Endpoint URL:    ${url}
  Signing secret:  ${secret}
The time may be five minutes off, both ways.`,

  token: (hook, url, secret) => `A step of your own; keep the secret in your CI's secrets as DCM_HOOK_SECRET:
  curl --fail-with-body -sS -X POST '${url}?wait=300' \\
    -H "X-Dcm-Token: $DCM_HOOK_SECRET" -H "Idempotency-Key: $CI_RUN_ID" \\
    -H 'Content-Type: application/json' -d '{"ref":"refs/heads/main"}'
  DCM_HOOK_SECRET: ${secret}
It waits for the outcome and fails when ${hook.name} fails; the same Idempotency-Key runs it once.`,
}

/** What its owner has to do at the sender's. */
export const howTo = (hook: Hook, place: Place, secret: string): string =>
  pages[hook.verify](hook, hookUrl(place, hook), secret)
