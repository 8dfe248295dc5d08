import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { startDcm } from '../test/e2e/support/dcm.ts'
import { createDatabase } from '../test/setup/postgres.ts'
import { benchChat } from './chat.ts'
import { benchCreate } from './create.ts'
import type { Row } from './measure.ts'
import { benchPs } from './ps.ts'
import { benchSsh } from './ssh.ts'
import { benchStart, resident } from './start.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const rows: Row[] = []

const folder = await mkdtemp(join(tmpdir(), 'dcm-bench-'))
{
  say('On PostgreSQL:')
  await using database = await createDatabase()
  await using dcm = await startDcm({ databaseUrl: database.url })
  rows.push(...(await benchCreate(dcm, say)))
  rows.push(...(await benchSsh(dcm, say)))
  rows.push(...(await benchPs(dcm, say)))
  rows.push({
    what: 'resident memory after all of this, PostgreSQL',
    dcm: `${await resident(dcm.pid())} MB`,
    other: '',
    ratio: '',
    aim: '',
  })
}
for (const on of ['PostgreSQL', 'embedded database'] as const) rows.push(...(await benchChat(say, on)))
await using second = await createDatabase()
rows.push(
  ...(await benchStart(
    {
      dataDir: join(folder, 'pg'),
      databaseUrl: second.url,
      what: 'PostgreSQL',
      aim: 'under 1000 ms',
      memoryAim: 'under 150 MB',
    },
    say,
  )),
)
rows.push(
  ...(await benchStart(
    {
      dataDir: join(folder, 'embedded'),
      databaseUrl: undefined,
      what: 'embedded database',
      aim: 'under 1500 ms',
      memoryAim: 'under 280 MB',
    },
    say,
  )),
)
await rm(folder, { recursive: true, force: true })

const line = (cells: string[]) => `| ${cells.join(' | ')} |`
const table = [
  line(['what', 'DCM', 'compared with', 'ratio', 'aim']),
  line(['---', '---', '---', '---', '---']),
  ...rows.map((row) => line([row.what, row.dcm, row.other, row.ratio, row.aim])),
].join('\n')
say(`\n${table}\n`)

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
