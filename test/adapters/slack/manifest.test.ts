import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scopes } from '../../../src/adapters/slack/install.ts'
import { variables } from '../../../src/variables.ts'
import { allScopes } from '../../stand-ins/slack/index.ts'

const root = join(import.meta.dirname, '../../..')
const manifest = readFileSync(join(root, 'slack/manifest.yaml'), 'utf8')
const sources = globSync('src/adapters/slack/*.ts', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n')
  // A call that the formatter has broken over lines is the same call.
  .replace(/\s+\./g, '.')

/** The items of a list in the manifest, by the key that it stands under. */
function listOf(key: string): string[] {
  const found = new RegExp(`^( *)${key}:\\n((?:\\1 +- .*\\n?)+)`, 'm').exec(manifest)
  return (found?.[2] ?? '').split('\n').flatMap((line) => /^ *- (.+)$/.exec(line)?.[1] ?? [])
}

/** What each call to Slack, and each event, needs (docs.slack.dev, reference/methods and reference/events). */
const methods: Record<string, string | null> = {
  'auth.test': null,
  'chat.postEphemeral': 'chat:write',
  'chat.postMessage': 'chat:write',
  'chat.update': 'chat:write',
  'conversations.open': 'im:write',
  'files.completeUploadExternal': 'files:write',
  'files.getUploadURLExternal': 'files:write',
  'oauth.v2.access': null,
  'views.open': null,
  'views.publish': null,
}
const events: Record<string, { name: string; scope: string | null }> = {
  app_home_opened: { name: 'app_home_opened', scope: null },
  app_mention: { name: 'app_mention', scope: 'app_mentions:read' },
  app_uninstalled: { name: 'app_uninstalled', scope: null },
  message: { name: 'message.im', scope: 'im:history' },
  tokens_revoked: { name: 'tokens_revoked', scope: null },
  user_change: { name: 'user_change', scope: 'users:read' },
}

const called = [
  ...new Set(
    [...sources.matchAll(/\.((?:auth|chat|conversations|files|oauth\.v2|views|users)\.[a-zA-Z]+)\(/g)].map(
      (found) => found[1]!,
    ),
  ),
].toSorted()
const heard = [...sources.matchAll(/app\.event\('(\w+)'/g)].map((found) => found[1]!).toSorted()

test('the scopes are those that what the adapter calls and hears needs, and no other', () => {
  expect(called).toEqual(Object.keys(methods))
  expect(heard).toEqual(Object.keys(events))
  const needed = new Set(
    // A file that somebody sent is fetched by its URL, which is no method.
    [
      'commands',
      ...(sources.includes('url_private') ? ['files:read'] : []),
      ...called.map((name) => methods[name]),
      ...heard.map((name) => events[name]!.scope),
    ].filter((one) => one !== null),
  )
  expect(new Set(listOf('bot'))).toEqual(needed)
  expect(listOf('bot')).toEqual([...scopes])
  expect(allScopes).toEqual([...scopes])
})

test('the events are those that the adapter listens to', () => {
  expect(listOf('bot_events')).toEqual(heard.map((name) => events[name]!.name).toSorted())
})

test('command, addresses and what the adapter relies on are there', () => {
  expect(manifest).toMatch(/- command: \/dcm\n/)
  expect(manifest).toMatch(/usage_hint: "\[create /)
  expect(manifest).toMatch(/should_escape: true/)
  expect(manifest.match(/https:\/\/dcm\.example\/slack\/events/g)).toHaveLength(3)
  expect(manifest).toContain('https://dcm.example/slack/oauth_redirect')
  for (const setting of [
    'home_tab_enabled: true',
    'messages_tab_enabled: true',
    'messages_tab_read_only_enabled: false',
    'is_enabled: true',
  ])
    expect(manifest).toContain(setting)
})

test('docs/chat.md names every variable of Slack, the manifest, and no variable that is none', () => {
  const docs = readFileSync(join(root, 'docs/chat.md'), 'utf8')
  const known = variables.map((one) => one.name)
  for (const name of known.filter((one) => one.startsWith('SLACK_'))) expect(docs).toContain(name)
  expect(docs).toContain('slack/manifest.yaml')
  const named = [...docs.matchAll(/\b(?:SLACK|DCM)_[A-Z_]+\b/g)].map((found) => found[0])
  expect(named.filter((one) => !known.includes(one))).toEqual([])
  for (const scope of scopes) expect(docs).toContain(`\`${scope}\``)
})
