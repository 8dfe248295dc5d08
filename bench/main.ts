import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { startDcm } from '../test/e2e/support/dcm.ts'
import { createDatabase } from '../test/setup/postgres.ts'
import { benchChat } from './chat.ts'
import { benchCreate } from './create.ts'
import type { Row } from './measure.ts'
import { benchMembers } from './members.ts'
import { benchPs } from './ps.ts'
import { benchSoak } from './soak.ts'
import { benchSsh } from './ssh.ts'
import { benchStart, resident } from './start.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const line = (cells: string[]) => `| ${cells.join(' | ')} |`
const cells = (row: Row) => [row.what, row.dcm, row.other, row.ratio, row.aim]

const rows: Row[] = []
/** Says each row at once: a run that is cut short has still told what it found. */
const found = (...more: Row[]) => {
  rows.push(...more)
  for (const row of more) say(line(cells(row)))
}

/** All but the long one, or those that are named: `npm run bench -- ps ssh`; the page is written when all have run. */
const asked = process.argv.slice(2)
const parts = ['create', 'ssh', 'ps', 'members', 'chat', 'start', 'soak'] as const
const unknown = asked.filter((name) => !parts.includes(name as never))
if (unknown.length > 0) {
  process.stderr.write(`There is no bench called ${unknown.join(' or ')}; there are ${parts.join(', ')}.\n`)
  process.exit(2)
}
const wanted = (name: (typeof parts)[number]) => (asked.length === 0 ? name !== 'soak' : asked.includes(name))

if (wanted('create') || wanted('ssh') || wanted('ps')) {
  say('On PostgreSQL:')
  await using database = await createDatabase()
  await using dcm = await startDcm({ databaseUrl: database.url })
  if (wanted('create')) found(...(await benchCreate(dcm, say)))
  if (wanted('ssh')) found(...(await benchSsh(dcm, say)))
  if (wanted('ps')) found(...(await benchPs(dcm, say)))
  found({
    what: 'resident memory after all of this, PostgreSQL',
    dcm: `${await resident(dcm.pid())} MB`,
    other: '',
    ratio: '',
    aim: '',
  })
}
if (wanted('members')) {
  await using database = await createDatabase()
  await using dcm = await startDcm({ databaseUrl: database.url })
  found(...(await benchMembers(dcm, 300, say)))
}
if (wanted('soak')) {
  await using database = await createDatabase()
  await using dcm = await startDcm({ databaseUrl: database.url })
  found(...(await benchSoak(dcm, 20, say)))
}
if (wanted('chat')) for (const on of ['PostgreSQL', 'embedded database'] as const) found(...(await benchChat(say, on)))
if (wanted('start')) {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-bench-'))
  await using database = await createDatabase()
  const aims = [
    { what: 'PostgreSQL', databaseUrl: database.url, aim: 'under 1000 ms', memoryAim: 'under 150 MB' },
    { what: 'embedded database', databaseUrl: undefined, aim: 'under 1500 ms', memoryAim: 'under 280 MB' },
  ]
  for (const aim of aims) found(...(await benchStart({ ...aim, dataDir: join(folder, aim.what) }, say)))
  await rm(folder, { recursive: true, force: true })
}

const table = [
  line(['what', 'DCM', 'compared with', 'ratio', 'aim']),
  line(['---', '---', '---', '---', '---']),
  ...rows.map((row) => line(cells(row))),
].join('\n')
say(`\n${table}\n`)

if (asked.length > 0) process.exit()
const page = join(import.meta.dirname, '../docs/performance.md')
const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`
const text = await readFile(page, 'utf8')
await writeFile(
  page,
  text.replace(
    /(<!-- table -->\n)[\s\S]*?(<!-- \/table -->)/,
    `$1Measured on ${machine}, with \`npm run bench\`.\n\n${table}\n$2`,
  ),
)
