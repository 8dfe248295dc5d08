import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../../src/core/model/person.ts'
import { createWorld, type World } from './world.ts'

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  await world.say(alice, 'volume create data')
  await world.say(alice, 'create web --image debian -v data:/data')
})
afterAll(() => world[Symbol.asyncDispose]())

const tried = (reply: { actions?: { line: string }[] }) => reply.actions?.map((action) => action.line)

describe('what somebody types who is new here gets the line that works', () => {
  test.each([
    ['create web2 debian', /^create needs --image before debian\.$/, 'create web2 --image debian'],
    ['create web2 debian -p 80', /^create needs --image before debian\.$/, 'create web2 --image debian -p 80'],
    [
      'schedule web stop README.md src',
      /^"README\.md src" is no time table: .* in quotes, like "0 20/,
      'help schedule',
    ],
    ['key add ./ada.pub', /^"\.\/ada\.pub" looks like the name of a file: write @\.\/ada\.pub to have/, 'help key add'],
    ['key add ada.pub', /^"ada\.pub" looks like the name of a file: write @ada\.pub to have/, 'help key add'],
    ['key add ~/.ssh/id.pub', /write @~\/\.ssh\/id\.pub to have its content sent\.$/, 'help key add'],
    ['key add @ada.pub', /^@ada\.pub is a file that only the dcm command reads: by SSH pipe/, 'help key add'],
    ['key add hunter2', /^This is not an OpenSSH public key;/, 'help key add'],
    ['group add Chemists', /^A group name is 2 to 31 of a-z/, undefined],
  ])('%s', async (line, sentence, works) => {
    const reply = await world.refused(line.startsWith('group') ? world.admin : alice, line, 'usage')
    expect(reply.text).toMatch(sentence)
    expect(tried(reply)).toEqual(works && [works])
  })

  test('a word beside a secret, or that could be one, is not repeated', async () => {
    for (const line of ['create web2 debian -e PASS=x', 'create web2 PASS=hunter2', 'create web2 hunter2 --env=A=b'])
      expect((await world.refused(alice, line, 'usage')).text).toMatch(/^create does not take that much;/)
  })

  test('times need no quotes where no shell reads them', async () => {
    const { data } = await world.say(alice, 'schedule web run 0 3 * * 1-5 --tz Europe/Berlin -- /backup.sh')
    expect(data).toMatchObject({ cron: '0 3 * * 1-5', zone: 'Europe/Berlin', argv: ['/backup.sh'] })
  })

  test('what can is asked about may stand in quotes', async () => {
    expect(await world.say(alice, 'can "stop web"')).toMatchObject({ tone: 'ok', data: { command: 'stop' } })
  })
})

describe('nobody is asked about what would be refused', () => {
  test.each([
    ['volume rm data', 'conflict', /web/],
    ['volume rm nothing', 'not_found', /no volume called nothing/],
    ['compose down nothing', 'not_found', /nothing/],
    ['recreate web --health none', 'usage', /--health is PORT/],
  ] as const)('%s', async (line, code, text) => {
    expect((await world.refused(alice, line, code)).text).toMatch(text)
  })

  test('the last admin', async () => {
    expect((await world.refused(world.admin, 'user rm admin', 'conflict')).text).toMatch(/last active admin/)
  })
})

describe('what names something that is not there is not made without a word', () => {
  test('a token for containers', async () => {
    const text = expect.stringContaining('You have no container called webb or db yet;')
    const line = 'token new ci --container webb --container web --container db'
    expect(await world.say(alice, line)).toMatchObject({ tone: 'warn', text })
    expect(await world.say(alice, 'token new web-only --container web')).toMatchObject({ tone: 'ok' })
  })

  test('a device of the host', async () => {
    world.host.fake.setDevice('/dev/dri/none', 'nothing')
    world.host.fake.setDevice('/dev/link', 'disk')
    expect(await world.say(world.admin, 'device add gpu /dev/dri/none')).toMatchObject({
      tone: 'warn',
      text: expect.stringContaining('The host has nothing at that path'),
    })
    expect((await world.say(world.admin, 'device add data /dev/link')).text).toMatch(/^\/dev\/link leads to a disk/)
    expect(await world.say(world.admin, 'device add kvm /dev/kvm')).toMatchObject({ tone: 'ok' })
  })

  test('a hook, unless its line is whole only when something is sent', async () => {
    const refused = 'As things are its line would be refused: You have no container called webb'
    expect((await world.say(alice, 'hook new one --do "redeploy webb"')).text).toContain(refused)
    expect((await world.say(alice, 'hook new two --do "redeploy web"')).text).not.toContain('refused')
    expect((await world.say(alice, 'hook new three --do "redeploy webb --image web:{sha}"')).text).not.toContain(
      'refused',
    )
  })
})

test.each([
  ['compose.yaml', /^"compose\.yaml" looks like the name of a file: write @compose\.yaml to have/],
  ['./a/b.yml', /^"\.\/a\/b\.yml" looks like the name of a file: write @\.\/a/],
  ['@compose.yaml', /^@compose\.yaml is a file that only the dcm command reads: .* - in its place/],
])('%s in the place of a Compose file is told what to write', async (file, says) => {
  for (const name of ['compose up', 'compose check']) {
    const reply = await world.refused(world.admin, { name, args: { file } }, 'usage')
    expect(reply.text).toMatch(says)
  }
})

test.each(['-m 512', '-m 100b'])('%s is told that it meant bytes', async (flag) => {
  const reply = await world.refused(world.admin, `create web --image debian ${flag}`, 'usage')
  expect(reply.text).toMatch(/^-m may be from 16m to 1t; (\d+) alone is bytes, so write \1m\.$/)
})
test('-m 8m is simply too small', async () => {
  const reply = await world.refused(world.admin, 'create web --image debian -m 8m', 'usage')
  expect(reply.text).toBe('-m may be from 16m to 1t.')
})
test('doctor names another DCM where the chains are not as this one set them', async () => {
  const says = async () => {
    const found = (await world.say(world.admin, 'doctor')).data as { name: string; says: string }[]
    return found.find((one) => one.name === 'firewall')!.says
  }
  world.host.fake.setFirewall(['The iptables chain DCM-FWD is missing.'])
  expect(await says()).toBe('The iptables chain DCM-FWD is missing.')
  world.host.fake.setFirewall(['The iptables chain DCM-FWD is not as DCM set it.'])
  expect(await says()).toMatch(/Another DCM on this machine/)
  world.host.fake.setFirewall([])
})

test('an image that is not there: the one that was meant, else what would bring it', async () => {
  const says = async (ref: string) => (await world.refused(world.admin, `create web --image ${ref}`, 'not_found')).text
  expect(await says('debain')).toBe('You have no image called debain; did you mean debian?')
  expect(await says('postgres:17')).toMatch(
    /^You have no image called postgres:17; there is .* An admin can offer others\.$/,
  )
  world.host.fake.registry('docker.io')
  expect((await world.say(world.admin, 'registry allow docker.io --yes')).error).toBeUndefined()
  expect(await says('postgres:17')).toMatch(/ pull postgres:17 brings one from docker\.io, or an admin offers it\.$/)
  await world.say(world.admin, 'registry disallow docker.io --yes')
})

test('nobody is asked whether to let in somebody who is not there', async () => {
  await world.member('ferdinand')
  expect((await world.say(world.admin, 'create shared --image bare -m 64m')).error).toBeUndefined()
  expect((await world.refused(world.admin, 'share shared ferdinan --exec', 'not_found')).text).toMatch(
    /no member called/,
  )
  await world.refused(world.admin, 'share shared admin --ssh', 'conflict')
  await world.refused(world.admin, 'share shared ferdinand --ssh --exec', 'usage')
  expect((await world.say(world.admin, 'share shared ferdinand --exec')).data).toMatchObject({ confirm: true })
  await world.say(world.admin, 'rm -f shared')
})
