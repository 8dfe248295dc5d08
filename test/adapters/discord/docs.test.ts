import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayIntentBits } from 'discord.js'
import { expect, test } from 'vitest'
import { intents } from '../../../src/adapters/discord/gateway.ts'
import { publish } from '../../../src/adapters/discord/publish.ts'
import { commands } from '../../../src/commands/index.ts'
import { readConfig } from '../../../src/config.ts'
import { variables } from '../../../src/variables.ts'

const docs = readFileSync(join(import.meta.dirname, '../../../docs/chat.md'), 'utf8')

test('docs/chat.md names every variable of Discord and none that is none', () => {
  const known = variables.map((one) => one.name).filter((one) => one.startsWith('DISCORD_'))
  expect(known.length).toBeGreaterThan(3)
  for (const name of known) expect(docs).toContain(`\`${name}\``)
  const named = [...docs.matchAll(/\bDISCORD_[A-Z_]+\b/g)].map((found) => found[0])
  expect(named.filter((one) => !known.includes(one))).toEqual([])
})

test('the intents are what the documents say: none of them privileged', () => {
  const privileged: readonly number[] = [
    GatewayIntentBits.GuildMembers,
    GatewayIntentBits.GuildPresences,
    GatewayIntentBits.MessageContent,
  ]
  expect(intents.filter((one) => privileged.includes(one))).toEqual([])
})

test('the commands that the documents name are registered', () => {
  const names = publish(commands).published.flatMap((one) => [
    one.name,
    ...one.options.filter((option) => option.type === 1).map((option) => `${one.name} ${option.name}`),
  ])
  for (const name of ['dcm', 'ps', 'link', 'create', 'key add', 'user link'])
    expect([names.includes(name), docs.includes(`/${name}`)]).toEqual([true, true])
})

test('the environment is read and checked: what is wrong is said by its name', () => {
  const read = (env: Record<string, string>) => readConfig({ DCM_DATA_DIR: '/tmp/dcm', ...env }, false)
  expect(read({})).toMatchObject({ config: { discord: null } })
  expect(read({ DISCORD_TOKEN: 'a.b.c', DISCORD_GUILDS: '197038439483310086, 22' })).toMatchObject({
    config: { discord: { token: 'a.b.c', guilds: ['197038439483310086', '22'], apiUrl: 'https://discord.com/api' } },
  })
  expect(read({ DISCORD_TOKEN: 'a.b.c', DISCORD_GUILDS: 'my server' })).toEqual({
    problems: [expect.stringMatching(/^DISCORD_GUILDS must be/)],
  })
  expect(read({ DISCORD_PUBLIC_KEY: 'x', DISCORD_APPLICATION_ID: 'mine' })).toEqual({
    problems: [expect.stringMatching(/^DISCORD_APPLICATION_ID must be/)],
  })
})
