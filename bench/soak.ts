import { readdir } from 'node:fs/promises'
import type { Dcm } from '../test/e2e/support/dcm.ts'
import type { Member } from '../test/e2e/support/member.ts'
import { query } from '../test/setup/postgres.ts'
import type { Row } from './measure.ts'
import { resident } from './start.ts'

/** What must not grow while the same is done again and again. */
type Held = { memory: number; files: number; connections: number }

/** One member's life, over and over, until `over`. @returns how many rounds */
async function live(member: Member, over: () => boolean): Promise<number> {
  let rounds = 0
  for (; !over(); rounds++) {
    await member.must('create web --image debian -m 64m')
    await member.ssh('web', 'echo in')
    for (const line of [
      'ps',
      'inspect web',
      'logs web',
      'exec web -- echo out',
      'stats web',
      'pause web',
      'unpause web',
    ])
      await member.must(line)
    // A refusal takes another way back.
    await member.run('start nothing')
    await member.must('rm -f web')
  }
  return rounds
}

/** Three members who never stop for so many minutes: what DCM holds at the end, beside what it held after a quarter of that. */
export async function benchSoak(dcm: Dcm, minutes: number, say: (line: string) => void): Promise<Row[]> {
  say(`  soak of ${minutes} minutes`)
  const held = async (): Promise<Held> => ({
    memory: await resident(dcm.pid()),
    files: (await readdir(`/proc/${dcm.pid()}/fd`)).length,
    connections: (
      await query(
        dcm.databaseUrl!,
        `select from pg_stat_activity where application_name = 'dcm' and datname = current_database()`,
      )
    ).length,
  })
  const members = await Promise.all(['sa', 'sb', 'sc'].map((name) => dcm.member(name)))
  const end = performance.now() + minutes * 60_000
  const lives = Promise.all(members.map((member) => live(member, () => performance.now() > end)))
  const look = new Promise<Held>((resolve, reject) => setTimeout(() => held().then(resolve, reject), minutes * 15_000))
  const [rounds, early] = await Promise.all([lives, look])
  const late = await held()
  await dcm.settled()
  const warnings = (await dcm.logs()).split('\n').filter((line) => /MaxListeners|"level":"(error|fatal)"/.test(line))
  if (warnings.length > 0) throw new Error(`DCM was not well: ${warnings[0]}`)
  const total = rounds.reduce((sum, one) => sum + one, 0)
  const row = (what: string, unit: string, of: (one: Held) => number): Row => ({
    what: `${what} after ${minutes} minutes and ${total} containers`,
    dcm: `${of(late)}${unit}`,
    other: `${of(early)}${unit} (after a quarter of them)`,
    ratio: (of(late) / of(early)).toFixed(2),
    aim: '',
  })
  return [
    row('resident memory', ' MB', (one) => one.memory),
    row('open files', '', (one) => one.files),
    row('connections to PostgreSQL', '', (one) => one.connections),
  ]
}
