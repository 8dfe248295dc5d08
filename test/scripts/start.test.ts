import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dcm-scripts-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

function sh(args: string[], env: Record<string, string> = {}, cwd = root) {
  const { status, stdout, stderr } = spawnSync('sh', args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8' })
  return { status, stdout, stderr }
}

/** A tree of its own with these scripts, which nothing was set up in yet. */
function tree(): string {
  const made = join(folder, 'a tree')
  for (const name of ['scripts', 'bin']) cpSync(join(root, name), join(made, name), { recursive: true })
  mkdirSync(join(made, 'node_modules'))
  writeFileSync(join(made, 'package-lock.json'), '{}')
  return made
}

/** A process that lives until the test is over and whose command line is that of a service. */
function service(): ChildProcess {
  const child = spawn('sh', ['-c', 'sleep 60; :', 'src/main.ts'], { detached: true })
  onTestFinished(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // The test has ended it.
    }
  })
  return child
}

async function serving(data: string, record: (pid: number) => object | undefined): Promise<number> {
  mkdirSync(data)
  const child = spawn('flock', [join(data, 'serving'), 'sh', '-c', 'echo $$; read line'])
  onTestFinished(() => void child.kill('SIGKILL'))
  onTestFinished(() => void child.stdin.end())
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  writeFileSync(join(data, 'serving'), `${pid}\n`)
  const said = record(pid)
  if (said) writeFileSync(join(data, 'dcm.pid'), JSON.stringify(said))
  return pid
}

test('a second start says who serves the data folder and where, and is content', async () => {
  const data = join(folder, 'data')
  const pid = await serving(data, (own) => ({
    pid: own,
    http: 'http://127.0.0.1:8787',
    ssh: '127.0.0.1:2222',
    tree: root,
  }))
  expect(sh(['scripts/start'], { DCM_DATA_DIR: `${data}/` })).toEqual({
    status: 0,
    stdout: `dcm: DCM already serves ${data}: pid ${pid}, http://127.0.0.1:8787.\n`,
    stderr: '',
  })
})

test('a start beside one that is not ready yet says so, and does not take an older record for its own', async () => {
  const data = join(folder, 'data')
  const pid = await serving(data, (own) => ({ pid: own + 1, http: '127.0.0.1:1', ssh: '', tree: root }))
  const { status, stdout } = sh(['scripts/start'], { DCM_DATA_DIR: data })
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `dcm: DCM is already being started for ${data}: pid ${pid}.\n`,
  })
})

test('a data folder must be an absolute path that can be made', () => {
  expect(sh(['scripts/start'], { DCM_DATA_DIR: 'data' }).stderr).toBe(
    'dcm: DCM_DATA_DIR (data) is not an absolute path.\n',
  )
  writeFileSync(join(folder, 'file'), '')
  const { status, stderr } = sh(['scripts/start'], { DCM_DATA_DIR: join(folder, 'file/data') })
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `dcm: The data folder ${folder}/file/data cannot be made.\n`,
  })
})

test('packages are not replaced under a live service, and a mark that a dead one left counts for nothing', async () => {
  const cwd = tree()
  const npm = join(folder, 'bin')
  mkdirSync(npm)
  // Stands for npm: a tree is brought when its node is there.
  writeFileSync(
    join(npm, 'npm'),
    `#!/bin/sh\nmkdir -p node_modules/.bin; ln -sf '${process.execPath}' node_modules/.bin/node\n`,
    {
      mode: 0o755,
    },
  )
  const env = { PATH: `${npm}:${process.env['PATH']}` }
  const bring = () => sh(['-c', '. scripts/setup; setup_node; command -v node'], env, cwd)

  const child = service()
  writeFileSync(join(cwd, `node_modules/.dcm-live-${child.pid}`), '')
  expect(bring()).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(`DCM (pid ${child.pid}) runs from ${cwd}`),
  })
  expect(existsSync(join(cwd, 'node_modules/.bin'))).toBe(false)

  process.kill(-(child.pid ?? 0), 'SIGKILL')
  await once(child, 'exit')
  const first = bring()
  expect(first).toMatchObject({ status: 0, stderr: '' })
  expect(first.stdout.split('\n')).toEqual([
    'dcm: Bringing Node 24 and the packages of the lockfile…',
    join(cwd, 'node_modules/.bin/node'),
    '',
  ])
  expect(existsSync(join(cwd, `node_modules/.dcm-live-${child.pid}`))).toBe(false)
  expect(bring().stdout).toBe(`${join(cwd, 'node_modules/.bin/node')}\n`)
  writeFileSync(join(cwd, 'package-lock.json'), '{"changed":true}')
  expect(bring().stdout).toContain('Bringing Node 24')
})

test('long work says what went wrong, and leaves no file', () => {
  const temp = join(folder, 'tmp')
  mkdirSync(temp)
  const { status, stdout, stderr } = sh(['-c', '. scripts/setup; slow "Trying" sh -c "echo no luck; exit 3"'], {
    TMPDIR: temp,
  })
  expect({ status, stdout, stderr }).toEqual({ status: 3, stdout: 'dcm: Trying…\n', stderr: 'no luck\n' })
  expect(sh(['-c', 'ls -A "$TMPDIR"'], { TMPDIR: temp }).stdout).toBe('')
})

test('an engine at DOCKER_HOST that does not answer is not replaced by one of ours', () => {
  const missing = `unix://${folder}/none.sock`
  const { status, stderr } = sh(['-c', '. scripts/setup; setup_engine'], { DOCKER_HOST: missing })
  expect(status).toBe(1)
  expect(stderr).toBe(`dcm: No Docker Engine answers at DOCKER_HOST (${missing}); start it, or unset DOCKER_HOST.\n`)
})

test('the local command works through a link, and says what to do where nothing is set up', () => {
  const cwd = tree()
  rmSync(join(cwd, 'node_modules'), { recursive: true })
  symlinkSync(join(cwd, 'bin/dcm'), join(folder, 'dcm'))
  expect(sh([join(folder, 'dcm'), 'ps'])).toEqual({
    status: 1,
    stdout: '',
    stderr: `dcm: ${cwd} is not set up yet; run "npm start" there first.\n`,
  })
  mkdirSync(join(cwd, 'node_modules/.bin'), { recursive: true })
  symlinkSync(process.execPath, join(cwd, 'node_modules/.bin/node'))
  mkdirSync(join(cwd, 'src/client'), { recursive: true })
  writeFileSync(join(cwd, 'src/client/main.ts'), 'console.log(process.argv.slice(2).join("|"))')
  expect(sh([join(folder, 'dcm'), 'a b', '--yes'], {}, folder)).toMatchObject({ status: 0, stdout: 'a b|--yes\n' })
})
