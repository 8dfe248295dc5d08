import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import type { World } from '../core/door/world.ts'
import { until } from '../setup/until.ts'

/** What somebody sees as the answer to something. */
export type Seen = {
  /** All of it, as one text: the sentence, fields, tables, code, notes. */
  text: string
  /** Labels of what can be pressed. */
  buttons: string[]
  /** Whether nobody else can see it. */
  private: boolean
  /** What the adapter needs to press something on it. */
  raw: unknown
}

/** Somebody on a platform. */
export type Someone = {
  type(line: string): Promise<Seen>
  press(seen: Seen, label: string): Promise<Seen>
  /** The same delivery several times, as a platform repeats what it believes lost. All that came of it. */
  repeat(line: string, times: number): Promise<Seen[]>
  /** Presses several times at once. All that came of it. */
  mash(seen: Seen, label: string, times: number): Promise<Seen[]>
  /** Types and waits for no more than the acknowledgement; what is given then waits for the answer. @throws when there is none */
  begin(line: string): Promise<() => Promise<Seen>>
}

/** One way to reach DCM, over a whole core on a fake host. */
export type ChatRig = AsyncDisposable & {
  world: World
  /** How this way in is written in the audit log. */
  surface: string
  /** Somebody whom DCM does not know; absent where such a caller is refused before anything. */
  stranger?: (handle: string) => Someone
  member(name: string, role?: Person['role']): Promise<{ person: Person; someone: Someone }>
  /** The process that serves dies without a word, and another one takes over. */
  restart(): Promise<void>
  /** What the platform found wrong with what it was sent. */
  violations(): string[]
}

/** What text of members may look like; nothing of it may be interpreted anywhere. */
export const hostile = '<!channel> @everyone <@U0001> <@&1> <http://evil|ok> [x](http://evil) & *b* _i_ ||s|| `c`'

/** One suite that every way in passes: the same line gives the same effect and the same row of the audit log. */
export function chatConformance(
  name: string,
  make: () => Promise<ChatRig>,
  { strangers = true }: { strangers?: boolean } = {},
): void {
  describe(`${name}: what every way in does alike`, () => {
    let rig: ChatRig
    let ada: Awaited<ReturnType<ChatRig['member']>>
    beforeAll(async () => {
      rig = await make()
      ada = await rig.member('ada')
    })
    afterAll(async () => {
      expect(rig.violations()).toEqual([])
      await rig[Symbol.asyncDispose]()
    })

    const rows = async (command: string) =>
      (await rig.world.store.audit.read({ limit: 500 })).filter((row) => row.command === command)
    const own = (of: string) => rig.world.store.containers.byName(ada.person.id, of)
    const removed = () => rig.world.host.fake.calls.filter((call) => call.method === 'engine.remove').length

    const withStrangers = strangers ? test : undefined
    withStrangers?.(
      'link: a stranger gets a code, and is who they say once it is confirmed on another side',
      async () => {
        const bob = await rig.world.member('bob')
        const who = rig.stranger!('bob')
        expect((await who.type('ps')).text).toContain('type link for a code')
        const seen = await who.type('link')
        const code = /[0-9a-z]{4}(?:-[0-9a-z]{4}){4}/.exec(seen.text)?.[0]
        expect(seen.private).toBe(true)
        expect((await rig.world.say(bob, `link ${code}`)).error).toBeUndefined()
        expect((await who.type('whoami')).text).toContain('You are bob')
      },
    )

    test('create gives the ssh line, to the asker alone', async () => {
      const seen = await ada.someone.type('create web --image debian')
      expect(seen.text).toMatch(/web is running/)
      expect(seen.text).toMatch(/ssh -p 20\d\d\d root@/)
      expect(seen.private).toBe(true)
      expect(await own('web')).toMatchObject({ state: 'running' })
      const [row] = await rows('create')
      expect(row).toMatchObject({ actor: 'ada', target: 'web', decision: 'done', surface: rig.surface })
    })

    test('ssh and ps', async () => {
      expect((await ada.someone.type('ssh web')).text).toMatch(/ssh -p 20\d\d\d root@.*/)
      const seen = await ada.someone.type('ps')
      expect(seen.text).toMatch(/You have one container/)
      expect(seen.text).toMatch(/web\s+debian\s+Up/)
    })

    test('pause, and commit', async () => {
      expect((await ada.someone.type('pause web')).text).toContain('web is paused')
      expect(await own('web')).toMatchObject({ state: 'paused' })
      await ada.someone.type('unpause web')
      expect((await ada.someone.type('commit web web:v1')).text).toContain('Saved web as web:v1')
      expect((await rows('commit'))[0]).toMatchObject({
        actor: 'ada',
        target: 'web web:v1',
        decision: 'done',
        surface: rig.surface,
      })
    })

    test('rm asks first; confirming twice removes once', async () => {
      await ada.someone.type('stop web')
      const asked = await ada.someone.type('rm web')
      expect(asked.text).toMatch(/Remove web and everything inside it\?/)
      expect(await own('web')).toBeDefined()
      const before = removed()
      const done = await ada.someone.mash(asked, 'Confirm', 2)
      expect(done.some((seen) => /web is removed/.test(seen.text))).toBe(true)
      expect(removed()).toBe(before + 1)
      expect((await rows('rm')).filter((row) => row.decision === 'done' && row.target === 'web')).toHaveLength(1)
    })

    test('what is refused is refused in words, and recorded', async () => {
      const seen = await ada.someone.type('user ls')
      expect(seen.text).toContain('user ls is for admins')
      expect((await rows('user ls'))[0]).toMatchObject({
        actor: 'ada',
        decision: 'refused',
        code: 'denied',
        surface: rig.surface,
      })
      expect((await ada.someone.type('crate web --image debian')).text).toMatch(/did you mean create\?/)
      expect((await ada.someone.type('inspect nothere')).text).toContain('You have no container called nothere')
    })

    test('hostile names and words are shown and interpreted nowhere', async () => {
      const seen = await ada.someone.type(`inspect '${hostile.slice(0, 55)}'`)
      expect(seen.text).toContain('You have no container called')
      await ada.someone.type(`nonsense-${hostile.replace(/ /g, '')}`)
    })

    test('I05: a list of hundreds and a log of megabytes stay within what the platform takes', async () => {
      await ada.someone.type('create big --image debian')
      const container = await own('big')
      const line = `${'x'.repeat(90)} <!channel> @everyone\u001b[31m\n`
      for (let n = 0; n < 2000; n++) rig.world.host.fake.write(container!.engineId!, line.repeat(10))
      const seen = await ada.someone.type('logs big --tail 10000')
      expect(seen.text).toContain('The log of big')
      expect(seen.text).not.toContain('\u001b')
      for (let n = 0; n < 45; n++) await rig.world.say(ada.person, `token new t${n} --for 1d`)
      expect((await ada.someone.type('token ls')).text).toMatch(/You have 4[56] tokens/)
    })

    test('G02: one delivery that comes several times is carried out once', async () => {
      const answers = await ada.someone.repeat('create once --image debian', 4)
      expect(answers.filter((seen) => /once is running/.test(seen.text)).length).toBeGreaterThanOrEqual(1)
      expect((await rows('create')).filter((row) => row.target === 'once' && row.decision === 'done')).toHaveLength(1)
      expect((await rows('create')).filter((row) => row.target === 'once' && row.decision === 'refused')).toHaveLength(
        0,
      )
    })

    test('a restart in the middle: what was begun is finished, and its outcome is to be had', async () => {
      const free = rig.world.host.fake.hold('engine.start')
      const answer = await ada.someone.begin('create lasting --image debian')
      await until('it to be begun', () => own('lasting'))
      await rig.restart()
      free()
      expect((await answer()).text).toMatch(/lasting is running/)
      expect((await rows('create')).filter((row) => row.target === 'lasting' && row.decision === 'done')).toHaveLength(
        1,
      )
    })

    test('N10: a suspended member is refused, whatever they press or type', async () => {
      const eve = await rig.member('eve')
      await eve.someone.type('create hers --image debian')
      await rig.world.say(rig.world.admin, 'user suspend eve')
      expect((await eve.someone.type('stop hers')).text).toMatch(/suspended/)
      await rig.world.say(rig.world.admin, 'user resume eve')
    })
  })
}

/**
 * How long a platform waits in that test: whether it is soon enough for the real ones is measured where nothing else runs
 * in the process (`npm run bench`).
 */
export const patience = 60_000

/** What a chat shows of a command at once is shown whatever the engine does, to however many at a time. */
export function acknowledgement(name: string, make: () => Promise<ChatRig>): void {
  test(`${name}: 200 commands at once are acknowledged although no call to the engine has come back`, async () => {
    await using rig = await make()
    const ada = await rig.member('ada')
    await ada.someone.type('create busy --image debian')
    const ended = async () => (await rig.world.rows(`select id from outbox where status = 'sent'`)).length
    const open = async () => (await rig.world.rows(`select id from outbox where status in ('called', 'owed')`)).length
    await until('the outbox to come to rest', async () => (await open()) === 0)
    const before = await ended()
    const free = rig.world.host.fake.hold('engine.processes')
    try {
      const begun = await Promise.all(Array.from({ length: 200 }, () => ada.someone.begin('top busy')))
      expect(begun).toHaveLength(200)
      expect(await ended()).toBe(before)
    } finally {
      free()
    }
    await until('200 answers', async () => (await ended()) >= before + 200, 120)
    expect(await ended()).toBe(before + 200)
    expect(rig.violations()).toEqual([])
  }, 180_000)
}
