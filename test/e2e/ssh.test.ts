import { createHash, randomBytes } from 'node:crypto'
import { execFile, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { makeKey, type Member, runProgram } from './support/member.ts'
import { type OpenSsh, reachDoor } from './support/openssh.ts'
import { until } from '../setup/until.ts'

const run = promisify(execFile)

let dcm: Dcm
let ada: Member
let eve: Member
let door: OpenSsh
const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
beforeAll(async () => {
  dcm = await startDcm({ database: 'embedded' })
  ;[ada, eve] = [await dcm.member('ada'), await dcm.member('eve')]
  door = await reachDoor(dcm)
  await ada.must('create web --image debian')
  await dcm.must('image offer debian:bookworm-slim --name plain')
})
afterAll(() => dcm[Symbol.asyncDispose]())

test('E06: the door’s host key is ed25519 alone, is the one that DCM tells, and is kept 0600', async () => {
  const told = (await dcm.must<{ config: string; known_hosts: string }>('config', { token: ada.token })).data
    .known_hosts
  const scanned = (await readFile(door.known, 'utf8'))
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
  expect(scanned).toHaveLength(1)
  expect(told).toContain(scanned[0]!.split(' ').slice(1).join(' '))
  expect((await run('stat', ['-c', '%a', join(dcm.dataDir, 'ssh_host_ed25519_key')])).stdout.trim()).toBe('600')
})

test('one command gives output, errors and exit codes as scripts expect', async () => {
  expect(await door.ssh('ada', ada.key, ['ps', '--json'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"web"'),
    stderr: '',
  })
  expect(await door.ssh('ada', ada.key, ['inspect', 'nope'])).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringContaining('no container called nope'),
  })
})

test('F01: another’s key, a certificate and no key get the same words', async () => {
  const authority = await makeKey(join(dcm.dataDir, '..'), 'authority')
  await run('ssh-keygen', ['-q', '-s', authority.key, '-I', 'ada', '-n', 'ada', eve.publicKey ? `${eve.key}.pub` : ''])
  const said = await Promise.all([
    door.ssh('ada', eve.key, ['ps']),
    door.ssh('nobody', eve.key, ['ps']),
    door.ssh('ada', eve.key, ['ps'], { args: ['-o', `CertificateFile=${eve.key}-cert.pub`] }),
    door.ssh('ada', eve.key, ['ps'], { args: ['-o', 'PubkeyAuthentication=no'] }),
  ])
  for (const one of said) expect({ ...one, stderr: one.stderr.replace('nobody', 'ada') }).toEqual(said[0])
  expect(said[0]!.code).toBe(255)
  expect(said[0]!.stderr).toContain('Permission denied (publickey)')
})

test('NAME+CONTAINER: a shell’s command, standard input, exit code, a terminal of the right size, scp and sftp', async () => {
  expect(await door.ssh('ada+web', ada.key, ['id -u; echo oh >&2; exit 7'])).toMatchObject({
    code: 7,
    stdout: '0\n',
    stderr: 'oh\n',
  })
  const bytes = randomBytes(8 * 1024 * 1024)
  await writeFile(door.file('up'), bytes)
  const counted = await run(
    'sh',
    [
      '-c',
      'exec ssh "$@" < "$FILE"',
      'sh',
      ...door.options(ada.key),
      '-p',
      door.port,
      'ada+web@127.0.0.1',
      'sha256sum',
    ],
    { env: { ...process.env, FILE: door.file('up') } },
  )
  expect(counted.stdout).toContain(sum(bytes))
  const tty = await door.ssh('ada+web', ada.key, ['stty size; tty; exit 3'], { args: ['-tt'] })
  expect(tty).toMatchObject({ code: 3, stdout: expect.stringMatching(/\d+ \d+\r\n\/dev\/pts\/\d/) })
  for (const way of [['-s'], ['-O']]) {
    expect(
      await runProgram('scp', [
        '-q',
        ...way,
        ...door.options(ada.key),
        '-P',
        door.port,
        door.file('up'),
        'ada+web@127.0.0.1:/tmp/up',
      ]),
    ).toMatchObject({ code: 0 })
    expect(
      await runProgram('scp', [
        '-q',
        ...way,
        ...door.options(ada.key),
        '-P',
        door.port,
        'ada+web@127.0.0.1:/tmp/up',
        door.file('down'),
      ]),
    ).toMatchObject({ code: 0 })
    expect(sum(await readFile(door.file('down')))).toBe(sum(bytes))
  }
})

test('-J by name: ssh and sftp, with the container’s own host key, and only its port 22', async () => {
  const settings = await door.jumping(ada)
  expect(await runProgram('ssh', [...settings, 'web', 'hostname'])).toMatchObject({ code: 0, stdout: 'web\n' })
  const bytes = await readFile(door.file('up'))
  expect(
    await runProgram('sftp', ['-q', ...settings, '-b', '-', 'web'], `put ${door.file('up')} /tmp/up2\n`),
  ).toMatchObject({ code: 0 })
  expect((await runProgram('ssh', [...settings, 'web', 'sha256sum /tmp/up2'])).stdout).toContain(sum(bytes))
  expect((await runProgram('ssh', [...settings, '-o', 'LogLevel=INFO', '-W', 'web:80', 'dcm'])).stderr).toMatch(
    /Only port 22 of web/,
  )
})

test('F02, F03: the tool gives no forward, no file and no listener', async () => {
  const [keep, extra] = [['-N'], ['-o', 'ExitOnForwardFailure=yes']]
  for (const args of [
    ['-R', '0:127.0.0.1:1'],
    ['-R', '/tmp/x:/tmp/y'],
    ['-w', 'any:any'],
  ])
    expect((await door.ssh('ada', ada.key, [], { args: [...keep, ...extra, ...args] })).code).toBe(255)
  expect((await door.ssh('ada', ada.key, [], { args: ['-W', '127.0.0.1:22'] })).code).toBe(255)
  expect(
    (await runProgram('sftp', ['-q', ...door.options(ada.key), '-P', door.port, '-b', '-', 'ada@127.0.0.1'], 'ls /\n'))
      .code,
  ).toBe(255)
  expect(
    (
      await runProgram('scp', [
        '-q',
        '-O',
        ...door.options(ada.key),
        '-P',
        door.port,
        'ada@127.0.0.1:/etc/passwd',
        door.file('stolen'),
      ])
    ).code,
  ).not.toBe(0)
})

test('a stopped container is woken, says so, and what hung up does not go on inside', async () => {
  await ada.must('stop web')
  expect(await door.ssh('ada+web', ada.key, ['echo up'])).toMatchObject({
    code: 0,
    stdout: 'up\n',
    stderr: expect.stringContaining('starting it'),
  })
  const child = spawn('ssh', [...door.options(ada.key), '-tt', '-p', door.port, 'ada+web@127.0.0.1', 'sleep 4321'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const sleeping = async () =>
    (await door.ssh('ada+web', ada.key, ['cat /proc/[0-9]*/cmdline | tr "\\0" " "'])).stdout.includes('sleep 4321 ')
  await until('it to sleep', sleeping, 20)
  child.kill('SIGKILL')
  await until('it to be hung up', async () => !(await sleeping()), 20)
})

test('an image without an SSH server: create says so, and its line is the door’s', async () => {
  const made = await ada.must<{ ssh: string }>('create bare --image plain')
  expect(made.text).toContain('no SSH server')
  expect(made.data.ssh).toBe(`ssh -p ${door.port} ada+bare@127.0.0.1`)
  expect(await door.ssh('ada+bare', ada.key, ['cat /etc/hostname'])).toMatchObject({ code: 0, stdout: 'bare\n' })
})

test('an invitation enrols the key that comes with it, and SIGTERM says goodbye', async () => {
  const { data } = await dcm.must<{ code: string }>('user invite newcomer')
  const { key } = await makeKey(join(dcm.dataDir, '..'), 'newcomer')
  expect(await door.ssh(`invite:${data.code}`, key, ['whoami'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('You are newcomer'),
  })
  expect((await door.ssh(`invite:${data.code}`, key, ['whoami'])).code).toBe(255)
  const child = spawn('ssh', [...door.options(key), '-tt', '-p', door.port, 'newcomer@127.0.0.1'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let shown = ''
  child.stdout.on('data', (text: Buffer) => (shown += text.toString()))
  await until('the prompt', () => shown.includes('dcm> '), 20)
  expect(await dcm.stop()).toBe(0)
  await until('goodbye', () => shown.includes('goodbye'), 20)
})
