// Slack's library first: it brings an agent for all of the process.
import '@slack/bolt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDiscordRig, type DiscordRig, textOf } from './setup.ts'

let rig: DiscordRig
beforeAll(async () => {
  rig = await createDiscordRig('gateway')
})
afterAll(() => rig[Symbol.asyncDispose]())

test('a file arrives also where Slack is served by the same process', async () => {
  const ada = await rig.member('ada')
  await rig.world.say(ada.person, 'create big --image debian')
  const container = await rig.world.container(ada.person, 'big')
  for (let n = 0; n < 200; n++) rig.world.host.fake.write(container.engineId!, `${'x'.repeat(90)}\n`)
  const message = await rig.last(ada.account, () => ada.account.slash('dcm', { line: 'logs big --tail 1000' }))
  expect(textOf(message)).toContain('The log of big')
  expect(message.files).toHaveLength(1)
  expect(message.files[0]!.text.length).toBeGreaterThan(18_000)
})
