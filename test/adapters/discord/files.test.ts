import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ExecWish } from '../../../src/core/host/engine.ts'
import { createDiscordRig, textOf } from './setup.ts'

let rig: Awaited<ReturnType<typeof createDiscordRig>>
let ada: Awaited<ReturnType<(typeof rig)['member']>>
let got: { argv: string[]; tar: Buffer }[] = []
beforeAll(async () => {
  rig = await createDiscordRig('http')
  ada = await rig.member('ada')
  expect((await rig.world.say(ada.person, 'create web --image debian')).error).toBeUndefined()
  rig.world.host.fake.programs(async function* (wish: ExecWish, input) {
    const parts: Buffer[] = []
    for await (const data of input) parts.push(data)
    got.push({ argv: wish.argv, tar: Buffer.concat(parts) })
    return 0
  })
})
afterAll(() => rig.rig[Symbol.asyncDispose]())
afterEach(() => {
  got = []
  expect(rig.rig.violations()).toEqual([])
})

type File = ReturnType<(typeof rig)['discord']['keep']>
const send = async (file: File, more: Record<string, unknown> = {}, who = ada.account) =>
  textOf(await rig.last(who, () => who.slash('inbox', { ...more, file })))

test('an attachment lands in /storage/inbox, whole, for the asker alone', async () => {
  const content = Buffer.alloc(70_001, 'dcm')
  expect(await send(rig.discord.keep('report.pdf', content))).toContain(
    'report.pdf is in /storage/inbox of your containers.',
  )
  expect(got[0]!.argv).toContain('/storage/inbox')
  expect(got[0]!.tar.subarray(0, 10).toString()).toBe('report.pdf')
  expect(got[0]!.tar.subarray(512, 512 + content.length)).toEqual(content)
  expect(await send(rig.discord.keep('a', 'x'), { container: 'nobodys' })).toContain(
    'You have no container called nobodys',
  )
})

test('only Discord itself is asked for it, and what is too large or gone is refused', async () => {
  const kept = rig.discord.keep('a', 'secret')
  for (const url of [
    'http://169.254.169.254/latest',
    'file:///etc/passwd',
    kept.url.replace('http://', 'http://cdn.discordapp.com@'),
    kept.url.replace('127.0.0.1', 'localhost'),
  ])
    expect(await send({ ...kept, url }), url).toContain('Discord does not keep that file itself')
  expect(await send({ ...kept, url: kept.url.replace('/attachments/', '/attachments/0') })).toContain(
    'Discord did not hand out the file',
  )
  expect(await send({ ...kept, size: 21 * 2 ** 20 })).toContain('a is larger than 20m')
  expect(got.filter(({ tar }) => tar.length > 0)).toEqual([])
})

test('a stranger gets nothing done', async () => {
  const stranger = rig.discord.person('stranger', [rig.home])
  expect(await send(rig.discord.keep('a', 'x'), {}, stranger)).toContain('DCM does not know you here yet')
  expect(got).toEqual([])
})
