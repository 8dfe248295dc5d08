import { createHmac, randomUUID } from 'node:crypto'

/** A delivery as it goes over the wire. */
export type Posted = { headers: Record<string, string>; body: string }

/** What changes from one push to another. */
export type Push = {
  ref?: string
  sha?: string
  repository?: string
  delivery?: string
  event?: string
  at?: number
  more?: Record<string, unknown>
}

const hex = (secret: string, body: string) => createHmac('sha256', secret).update(body).digest('hex')
const sha = '6dcb09b5b57875f334f61aebed695e2e4193db5e'
const zeros = '0'.repeat(40)
const ascii = { 'content-type': 'application/json' }

/** The parts of a push that GitHub, Gitea and Forgejo have in common. */
function pushed({ ref = 'refs/heads/main', sha: after = sha, repository = 'octo-org/web', more = {} }: Push) {
  const [login, name] = repository.split('/')
  const user = {
    login,
    id: 21031067,
    avatar_url: 'https://forge.example/avatars/1',
    html_url: `https://forge.example/${login}`,
  }
  const commit = {
    id: after,
    message: 'Serve "hello" — héllo, $(world) `now`',
    timestamp: '2026-11-20T10:15:30+01:00',
    url: `https://forge.example/${repository}/commit/${after}`,
    author: { name: 'Ada Lovelace', email: 'ada@example.org', username: 'ada' },
    committer: { name: 'Ada Lovelace', email: 'ada@example.org', username: 'ada' },
    added: [],
    removed: [],
    modified: ['app.py'],
  }
  return {
    ref,
    before: 'a10867b14bb761a232cd80139fbd4c0d33264240',
    after,
    created: false,
    deleted: false,
    forced: false,
    compare: `https://forge.example/${repository}/compare/a10867b14bb7...${after.slice(0, 12)}`,
    commits: after === zeros ? [] : [commit],
    head_commit: after === zeros ? null : commit,
    repository: {
      id: 186853002,
      name,
      full_name: repository,
      private: true,
      owner: user,
      default_branch: 'main',
      fork: false,
    },
    pusher: { name: 'ada', email: 'ada@example.org' },
    sender: user,
    ...more,
  }
}

/** GitHub docs, "Webhook events and payloads" (delivery headers, push) and "Validating webhook deliveries". */
export function github(secret: string, push: Push = {}, form = false): Posted {
  const json = JSON.stringify(pushed(push))
  const body = form ? new URLSearchParams({ payload: json }).toString() : json
  return {
    body,
    headers: {
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-delivery': push.delivery ?? randomUUID(),
      'x-github-event': push.event ?? 'push',
      'x-github-hook-id': '292430182',
      'x-github-hook-installation-target-id': '186853002',
      'x-github-hook-installation-target-type': 'repository',
      'x-hub-signature': `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`,
      'x-hub-signature-256': `sha256=${hex(secret, body)}`,
    },
  }
}

/** What GitHub sends when a hook has been added: docs, "Webhook events and payloads", ping. */
export function githubPing(secret: string): Posted {
  const body = JSON.stringify({
    zen: 'Keep it logically awesome.',
    hook_id: 292430182,
    hook: { type: 'Repository', id: 292430182, name: 'web', active: true, events: ['push'] },
  })
  const { headers } = github(secret, { event: 'ping' })
  return { body, headers: { ...headers, 'x-hub-signature-256': `sha256=${hex(secret, body)}` } }
}

/** Gitea's services/webhook/deliver.go: bare hex, its own, Gogs' and GitHub's header names; of a form the JSON inside is signed. */
export function gitea(secret: string, push: Push = {}, form = false): Posted {
  const json = JSON.stringify(pushed(push), null, 2)
  const delivery = push.delivery ?? randomUUID()
  const event = push.event ?? 'push'
  const signature = hex(secret, json)
  return {
    body: form ? new URLSearchParams({ payload: json }).toString() : json,
    headers: {
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-gitea-delivery': delivery,
      'x-gitea-event': event,
      'x-gitea-event-type': event,
      'x-gitea-signature': signature,
      'x-gogs-delivery': delivery,
      'x-gogs-event': event,
      'x-gogs-signature': signature,
      'x-hub-signature-256': `sha256=${signature}`,
      'x-github-delivery': delivery,
      'x-github-event': event,
    },
  }
}

/** Forgejo docs, "Webhooks": Gitea's, and the same under its own name. */
export function forgejo(secret: string, push: Push = {}): Posted {
  const { body, headers } = gitea(secret, push)
  const own = (name: string) => ({ [`x-forgejo-${name}`]: headers[`x-gitea-${name}`]! })
  return {
    body,
    headers: { ...headers, ...own('delivery'), ...own('event'), ...own('event-type'), ...own('signature') },
  }
}

/** GitLab docs, "Webhook events", push events. */
function gitlabPush({ ref = 'refs/heads/main', sha: after = sha, repository = 'mike/diaspora', more = {} }: Push) {
  return {
    object_kind: 'push',
    event_name: 'push',
    before: '95790bf891e76fee5e1747ab589903a6a1f80f22',
    after,
    ref,
    ref_protected: true,
    checkout_sha: after === zeros ? null : after,
    user_id: 4,
    user_name: 'John Smith',
    user_username: 'jsmith',
    project_id: 15,
    project: { id: 15, name: 'Diaspora', path_with_namespace: repository, default_branch: 'main', visibility_level: 0 },
    repository: {
      name: 'Diaspora',
      url: 'git@example.com:mike/diaspora.git',
      git_http_url: 'http://example.com/mike/diaspora.git',
    },
    commits: [],
    total_commits_count: 1,
    ...more,
  }
}

function gitlabHeaders(push: Push, delivery: string): Record<string, string> {
  return {
    ...ascii,
    'user-agent': 'GitLab/18.9.0',
    'idempotency-key': delivery,
    'x-gitlab-event': push.event ?? 'Push Hook',
    'x-gitlab-webhook-uuid': randomUUID(),
    'x-gitlab-instance': 'https://gitlab.example.com',
    'x-gitlab-event-uuid': randomUUID(),
  }
}

/** GitLab with a secret token: it comes as it is (app/services/web_hook_service.rb, build_headers). */
export function gitlab(secret: string, push: Push = {}): Posted {
  const delivery = push.delivery ?? randomUUID()
  return {
    body: JSON.stringify(gitlabPush(push)),
    headers: { ...gitlabHeaders(push, delivery), 'x-gitlab-token': secret },
  }
}

/** GitLab with a signing token: as Standard Webhooks, with the Idempotency-Key as `webhook-id`. */
export function gitlabSigned(secret: string, push: Push = {}): Posted {
  const delivery = push.delivery ?? randomUUID()
  const body = JSON.stringify(gitlabPush(push))
  return { body, headers: { ...gitlabHeaders(push, delivery), ...signature(secret, delivery, push.at, body) } }
}

/** Standard Webhooks 1.0.0, "Signature scheme". */
function signature(
  secret: string,
  id: string,
  at = Math.floor(Date.now() / 1000),
  body: string,
): Record<string, string> {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signed}` }
}

/** Any sender of Standard Webhooks. */
export function standard(secret: string, push: Push = {}): Posted {
  const body = JSON.stringify({
    type: 'build.finished',
    timestamp: '2026-11-20T10:15:30Z',
    ref: push.ref ?? 'refs/heads/main',
    sha: push.sha ?? sha,
    repository: push.repository ?? 'octo-org/web',
    ...push.more,
  })
  return { body, headers: { ...ascii, ...signature(secret, push.delivery ?? `msg_${randomUUID()}`, push.at, body) } }
}

/** A curl of one's own. */
export function curl(secret: string, push: Push = {}): Posted {
  const body = JSON.stringify({
    ref: push.ref ?? 'refs/heads/main',
    sha: push.sha ?? sha,
    repository: push.repository ?? 'octo-org/web',
    ...push.more,
  })
  return {
    body,
    headers: { ...ascii, 'x-dcm-token': secret, ...(push.delivery ? { 'idempotency-key': push.delivery } : {}) },
  }
}

/** Every way that a hook may be signed, by the scheme that takes it. */
export const senders = {
  github: (secret: string, push?: Push) => github(secret, push),
  'github, as a form': (secret: string, push?: Push) => github(secret, push, true),
  gitlab,
  'gitlab, signed': gitlabSigned,
  gitea: (secret: string, push?: Push) => gitea(secret, push),
  'gitea, as a form': (secret: string, push?: Push) => gitea(secret, push, true),
  'gitea, forgejo': forgejo,
  standard,
  token: curl,
} as const
export type Sender = keyof typeof senders
