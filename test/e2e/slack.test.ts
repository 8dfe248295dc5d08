import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSlackStandIn, type Message, type SlackStandIn } from '../stand-ins/slack/index.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { until } from '../setup/until.ts'

let slack: SlackStandIn
let dcm: Dcm
const text = (message: Message) => JSON.stringify(message.blocks)

beforeAll(async () => {
  slack = await createSlackStandIn()
  const token = slack.install('T1')
  dcm = await startDcm({
    env: { SLACK_SIGNING_SECRET: slack.app.signingSecret, SLACK_BOT_TOKEN: token, SLACK_API_URL: slack.apiUrl },
  })
  slack.connect('http', async (request) =>
    fetch(`${dcm.url}/slack/events`, {
      method: 'POST',
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    }),
  )
}, 240_000)
afterAll(async () => {
  await dcm[Symbol.asyncDispose]()
  await slack.close()
})

test('from Slack to a real container: link, create, log in, and a create that a kill -9 of DCM does not lose', async () => {
  const ada = await dcm.member('ada')
  const account = slack.person('UADA', 'T1', 'ada')
  const answer = (what: RegExp) =>
    until(`${what}`, () => slack.messages.find((one) => what.test(one.text) || what.test(text(one))))

  await slack.command(account, 'link')
  const shown = await answer(/dcm link [0-9a-z]{4}-/)
  await dcm.must(['link', /link ([0-9a-z-]{24})/.exec(text(shown))![1]!], { token: ada.token })

  await slack.command(account, 'create web --image debian')
  const made = await answer(/web is running/)
  expect(made.to).toBe(account.id)
  expect(text(made)).toMatch(/ssh -p \d+ root@/)
  expect((await ada.ssh('web', 'echo in')).stdout.trim()).toBe('in')

  await slack.command(account, 'create later --image debian')
  await until('its operation', async () => (await dcm.ready()).open > 0)
  await dcm.kill9()
  await dcm.restart()
  const later = await answer(/later is running/)
  expect(later.to).toBe(account.id)
  expect(slack.messages.filter((one) => /later is running/.test(one.text))).toHaveLength(1)
  expect((await ada.ssh('later', 'echo in')).stdout.trim()).toBe('in')
  expect(slack.violations).toEqual([])
  expect(await dcm.logs()).not.toMatch(/xoxb-|link [0-9a-z]{4}-/)
}, 240_000)
