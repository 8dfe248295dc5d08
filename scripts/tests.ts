// Runs every project of vitest.config.ts, one group after the other, and closes with one plain line for all of them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'

/** What needs the engine comes last: it is what fails for reasons of the machine. Beside it is what waits more than it computes. */
const groups = [
  { projects: ['unit', 'core', 'store'], workers: 2 },
  { projects: ['wire', 'host', 'e2e'], workers: 4 },
]

type Report = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[]
}

/** What someone has set for their own DCM is not for tests. */
const foreign = /^(DCM_(?!TEST_)|SLACK_|DISCORD_|DATABASE_URL$|LOG_LEVEL$)/
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
  NODE_COMPILE_CACHE: resolve('node_modules/.cache/dcm'),
}

/** Those who started us, up to npm: when one of them is killed, no one waits for these tests any more. */
function ancestors(): number[] {
  const found: number[] = []
  for (let pid = process.ppid; pid > 1 && found.length < 6;) {
    found.push(pid)
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('npm')) return found
    pid = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  }
  return [process.ppid]
}

const folder = mkdtempSync(join(tmpdir(), 'dcm-test-run-'))
const started = ancestors()
let running: ChildProcess | undefined
setInterval(() => {
  if (started.every((pid) => existsSync(`/proc/${pid}`))) return
  running?.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
  process.exit(1)
}, 1000).unref()

/** What `npm test -- …` was given; with a filter, tests that do not run are what was asked for. */
const asked = process.argv.slice(2)
let passed = 0
let failed = 0
/** Named again at the end, where whoever reads only the last lines finds them. */
const failures: string[] = []

for (const { projects: group, workers } of groups) {
  console.log(`== ${group.join(' and ')} tests`)
  const file = join(folder, `${group.join('-')}.json`)
  const projects = group.flatMap((name) => ['--project', name])
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`, '--passWithNoTests']
  const child = spawn('vitest', ['run', `--maxWorkers=${workers}`, ...projects, ...reporters, ...asked], {
    stdio: 'inherit',
    env,
  })
  running = child
  const [code] = (await once(child, 'exit')) as [number | null]
  const before = failed
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    passed += report.numPassedTests
    // A file that does not load has no test that failed, and a test that did not run has not passed.
    const broken = report.testResults.filter(
      (one) => one.status === 'failed' && !one.assertionResults.some((test) => test.status === 'failed'),
    )
    failed += report.numFailedTests + broken.length
    if (asked.length === 0) failed += report.numPendingTests
    for (const { name, assertionResults } of report.testResults)
      for (const { status, fullName } of assertionResults)
        if (status === 'failed') failures.push(`${relative(process.cwd(), name)}: ${fullName}`)
    failures.push(...broken.map(({ name }) => `${relative(process.cwd(), name)}: did not load, or not end`))
  } catch {
    console.error(`The ${group.join(' and ')} tests gave no report.`)
  }
  if (code !== 0 && failed === before) failed += 1
}

rmSync(folder, { recursive: true })
for (const failure of failures) console.log(`FAILED ${failure}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
