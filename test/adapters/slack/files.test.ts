import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ExecWish } from '../../../src/core/host/engine.ts'
import { createSlackRig, type SlackRig } from './setup.ts'

let rig: SlackRig
let account: ReturnType<SlackRig['account']>
let got: { argv: string[]; tar: Buffer }[] = []
beforeAll(async () => {
  rig = await createSlackRig('http')
  const { person } = await rig.rig.member('ada')
  account = rig.account('ada')
  expect((await rig.world.say(person, 'create web --image debian')).error).toBeUndefined()
  rig.world.host.fake.programs(async function* (wish: ExecWish, input) {
    const parts: Buffer[] = []
    for await (const data of input) parts.push(data)
    got.push({ argv: wish.argv, tar: Buffer.concat(parts) })
    return 0
  })
})
afterAll(() => rig[Symbol.asyncDispose]())
afterEach(() => {
  got = []
  expect(rig.standIn.violations.splice(0)).toEqual([])
})

type Sent = Record<string, unknown>
async function send(text: string, files: Sent[], who = account): Promise<string> {
  const before = rig.snapshot()
  await rig.standIn.direct(who, text, { subtype: 'file_share', files })
  const text_ = rig.seen((await rig.next(who, before)).at(-1)!).text
  await rig.quiet()
  return text_
}
const nameIn = (tar: Buffer) => tar.subarray(0, 100).toString('utf8').replace(/\0.*$/s, '')

test('a file that is sent to the bot lands in /storage/inbox, whole and by the tar of an own container', async () => {
  const content = Buffer.alloc(100_001, 'dcm')
  expect(await send('', [rig.standIn.keep('report.pdf', content)])).toContain(
    'report.pdf is in /storage/inbox of your containers.',
  )
  expect(got).toHaveLength(1)
  expect(got[0]!.argv).toContain('/storage/inbox')
  expect(nameIn(got[0]!.tar)).toBe('report.pdf')
  expect(got[0]!.tar.subarray(512, 512 + content.length)).toEqual(content)
  expect(got[0]!.tar.length % 512).toBe(0)
  const [row] = await rig.world.rows<{ command: string; decision: string }>(
    "select command, decision from audit where command = 'inbox'",
  )
  expect(row).toMatchObject({ decision: 'done' })
})

test('its name is no path, no option and no trick, and a container may be named', async () => {
  const names = ['../../etc/passwd', '-rf', '..', 'a\u202egnp.exe', 'ü'.repeat(200), '$(id)`x`;']
  const clean = ['passwd', 'rf', 'file', 'a_gnp.exe', 'ü'.repeat(48), '_(id)_x__']
  for (const [at, name] of names.entries()) {
    await send(
      'inbox web',
      [rig.standIn.keep('x', 'text')].map((file) => ({ ...file, name })),
    )
    expect(nameIn(got.at(-1)!.tar)).toBe(clean[at])
  }
  expect(await send('cp web:/storage', [rig.standIn.keep('a', 'x'), rig.standIn.keep('b', 'y')])).toMatch(
    /a is in .* b is in /,
  )
  expect(await send('inbox nobodys', [rig.standIn.keep('a', 'x')])).toContain('You have no container called nobodys')
  expect(await send('rm web', [rig.standIn.keep('a', 'x')])).toContain('A file goes into /storage/inbox')
})

test('only Slack itself is asked for it, with the token, and nobody is that a message names', async () => {
  const asked: (string | undefined)[] = []
  const other = createServer((request, response) => {
    asked.push(request.headers.authorization)
    response.end('secret')
  })
  await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready))
  try {
    const port = (other.address() as AddressInfo).port
    const kept = rig.standIn.keep('a', 'secret')
    const own = new URL(String(kept['url_private']))
    for (const at of [
      `http://127.0.0.1:${port}/a`,
      `http://localhost:${port}/a`,
      `http://${own.host}@127.0.0.1:${port}/a`,
      'file:///etc/passwd',
      'http://169.254.169.254/',
      'no url',
    ])
      expect(await send('', [{ ...kept, url_private: at, url_private_download: at }]), at).toContain(
        'Slack does not keep that file itself',
      )
    // What Slack would not hand out ends at its page to log in, which is not followed.
    expect(await send('', [{ ...kept, url_private_download: `${own.origin}/files-pri/none` }])).toContain(
      'Slack did not hand out the file',
    )
    expect(asked).toEqual([])
    expect(got.filter(({ tar }) => tar.includes('secret'))).toEqual([])
  } finally {
    await new Promise((closed) => other.close(closed))
  }
})

test('a file that is too large, not as large as was said, or from a stranger is refused', async () => {
  const kept = rig.standIn.keep('a', 'x'.repeat(1000))
  expect(await send('', [{ ...kept, size: 21 * 2 ** 20 }])).toContain('a is larger than 20m')
  expect(await send('', [{ ...kept, size: 10 }])).toContain('Slack did not hand out the file')
  expect(got.filter(({ tar }) => tar.length > 0)).toEqual([])
  got = []
  const stranger = rig.standIn.person('USTRANGER', 'T1', 'stranger')
  expect(await send('', [kept], stranger)).toContain('DCM does not know you here yet')
  expect(got).toEqual([])
})

test('without a container that runs it says what to do', async () => {
  const person = (await rig.world.store.people.byName('ada'))!
  await rig.world.say(person, 'stop web')
  expect(await send('', [rig.standIn.keep('a', 'x')])).toContain('No container of yours is running')
  await rig.world.say(person, 'start web')
})
