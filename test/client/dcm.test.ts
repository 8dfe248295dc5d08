import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveStandIn, startDcm, tree } from './setup.ts'
import { until } from '../setup/until.ts'

let service: Awaited<ReturnType<typeof serveStandIn>>
let files: string
beforeAll(async () => {
  service = await serveStandIn()
  files = await mkdtemp(join(tmpdir(), 'dcm-files-'))
  await writeFile(join(files, 'id.pub'), 'ssh-ed25519 AAAA  ann@laptop\n')
  await writeFile(join(files, 'id'), '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n')
  await writeFile(join(files, 'large'), 'x'.repeat(600_000))
  await writeFile(join(files, 'binary'), Buffer.from([0xff, 0xfe]))
})
afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await rm(files, { recursive: true })
})

describe('what is printed', () => {
  test('a table, plain where it is piped', async () => {
    expect(await service.run(['ps'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^You have \d+ containers\.\nNAME +STATE\nweb +running\n/) as string,
    })
  })

  test('a word for a time table is no file', async () => {
    const { stderr } = await service.run(['schedule', 'web', 'run', '@daily', '--', 'date'])
    expect(stderr).not.toContain('no such file')
    expect(service.calls.at(-1)!.input).toEqual({ words: ['schedule', 'web', 'run', '@daily', '--', 'date'] })
  })

  test('the whole reply with --json', async () => {
    const { stdout, code } = await service.run(['ps', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ tone: 'info', data: [{ name: 'web', state: 'running' }] })
  })

  test('help, without any word', async () => {
    const all = await service.run([])
    expect(all.stdout).toContain('ps')
    expect(await service.run(['--help'])).toEqual(all)
  })

  test('its version, with no service at all', async () => {
    const { version } = JSON.parse(await readFile(join(tree, 'package.json'), 'utf8')) as { version: string }
    expect(await startDcm(['--version']).ended).toMatchObject({ code: 0, stdout: `dcm ${version}\n` })
  })

  test('I03 nothing that a container wrote acts on the terminal', async () => {
    for (const words of [
      ['logs', 'web'],
      ['logs', 'web', '--json'],
    ]) {
      const { bytes } = await service.run(words)
      expect(bytes.toString()).toContain('two')
      expect([...bytes].filter((byte) => byte < 32 && byte !== 10)).toEqual([])
      expect(bytes.toString()).not.toContain('\u202e')
    }
  })
})

describe('what is sent', () => {
  test('the words as the shell split them', async () => {
    const { stdout } = await service.run([
      'create',
      'words',
      '--image',
      'debian',
      '-e',
      "A=it's $HOME",
      '--json',
      '--',
      'sh',
      '-c',
      'echo "a  b"',
      '--json',
      '-',
      '@x',
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      data: { name: 'words', env: ["A=it's $HOME"], cmd: ['sh', '-c', 'echo "a  b"', '--json', '-', '@x'] },
    })
  })

  test.each([
    ['@FILE', (folder: string) => `@${folder}/id.pub`],
    ['@~/FILE', () => '@~/id.pub'],
  ])('the contents of %s', async (_, word) => {
    const { stdout } = await service.run(['key', 'add', word(files), '--json'], { env: { HOME: files } })
    expect(JSON.parse(stdout)).toMatchObject({ data: { key: 'ssh-ed25519 AAAA  ann@laptop' } })
  })

  test('what is piped in, for -', async () => {
    const { stdout } = await service.run(['key', 'add', '-', '--json'], { input: 'piped\nkey\n' })
    expect(JSON.parse(stdout)).toMatchObject({ data: { key: 'piped\nkey' } })
  })

  test('what is piped in by somebody who takes their time', async () => {
    const under = ['sh', '-c', '{ sleep 1; echo slow; } | "$0" "$@"']
    const { stdout, stderr } = await service.run(['key', 'add', '-', '--json'], { under })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ data: { key: 'slow' } })
  })

  test('an @ itself, for @@', async () => {
    const { stdout } = await service.run(['key', 'add', '@@home', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ data: { key: '@home' } })
  })

  test('the contents of a file in --flag=@FILE', async () => {
    const { stdout } = await service.run(['create', 'inline', '--image=@@x', `--env=@${files}/id.pub`, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      fields: { image: '@x' },
      data: { env: ['ssh-ed25519 AAAA  ann@laptop'] },
    })
  })

  test.each([
    ['a private key', 'id', /private key.*\.pub\./],
    ['what is too long', 'large', /larger than 512k/],
    ['what is not text', 'binary', /is not text\./],
    ['what is not there', 'none', /there is no such file\./],
    ['a folder', '', /it is a folder\./],
  ])('never %s', async (_, name, says) => {
    const before = service.calls.length
    const ran = await service.run(['key', 'add', `@${files}/${name}`])
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(says) as string })
    expect(ran.stderr).not.toContain('c2VjcmV0')
    expect(service.calls.length).toBe(before)
  })
})

describe('how it ends', () => {
  test.each([
    [2, ['crate'], 'did you mean create?'],
    [2, ['ps', '--al'], 'did you mean --all?'],
    [4, ['logs', 'none'], 'You have no container called none.'],
    [5, ['create', 'web', '--image', 'debian'], 'You already have a container called web.'],
  ])('%i after %j', async (code, words, says) => {
    expect(await service.run(words)).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringContaining(says) as string,
    })
  })

  test('3 for a token that is not good, or not enough', async () => {
    const env = { DCM_URL: `http://127.0.0.1:${service.port()}/` }
    expect(await service.run(['ps'], { env: { ...env, DCM_TOKEN: 'nope' } })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('not good') as string,
    })
    expect(await service.run(['user', 'ls'], { env: { ...env, DCM_TOKEN: 'ann-token' } })).toMatchObject({
      code: 3,
      stderr: 'user ls is for admins.\n',
    })
    expect(await service.run(['ps'], { env: { ...env, DCM_TOKEN: 'ann-token' } })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('db') as string,
    })
    expect(await service.run(['ps'], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('DCM_TOKEN is not') as string,
    })
  })

  test('7 while the database is away', async () => {
    service.state.down = true
    try {
      expect(await service.run(['ps'])).toMatchObject({
        code: 7,
        stdout: '',
        stderr: expect.stringContaining('database') as string,
      })
    } finally {
      service.state.down = false
    }
  })

  test('with the error as JSON too', async () => {
    const { code, stdout, stderr } = await service.run(['logs', 'none', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ error: 'not_found' })
    expect({ code, stderr }).toEqual({ code: 4, stderr: 'You have no container called none.\n' })
  })

  test('7 and how to start it, when it does not run', async () => {
    const ran = await startDcm(['ps'], { env: { DCM_DATA_DIR: files } }).ended
    expect(ran).toMatchObject({
      code: 7,
      stdout: '',
      stderr: `No DCM answers in ${files}; set DCM_DATA_DIR to the folder of the one that runs, or start one with: npm --prefix '${tree}' start\n`,
    })
  })

  test("7 and why, when the socket is not the caller's", async () => {
    await chmod(service.socket, 0)
    try {
      const under = process.getuid!() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []
      expect(await service.run(['ps'], { under })).toMatchObject({
        code: 7,
        stderr: expect.stringContaining('Only root and the account that DCM runs as') as string,
      })
    } finally {
      await chmod(service.socket, 0o600)
    }
  })

  test('7 when no DCM answers at DCM_URL', async () => {
    expect(await startDcm(['ps'], { env: { DCM_URL: 'http://127.0.0.1:1', DCM_TOKEN: 'x' } }).ended).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('http://127.0.0.1:1 (ECONNREFUSED)') as string,
    })
  })
})

describe('a confirmation', () => {
  test('says how to confirm where there is nobody to ask', async () => {
    expect(await service.run(['rm', 'web'])).toMatchObject({
      code: 5,
      stdout: '',
      stderr: 'This removes web and what is in it. To confirm: dcm rm web --yes\n',
    })
    expect(service.containers('admin')).toContain('web')
  })

  test('is asked for on a terminal, and no is no', async () => {
    const ran = await service.onTerminal('rm web', 'n\n')
    expect(ran.stdout).toContain('This removes web and what is in it. Go on? [y/N]')
    expect(ran.stdout).toContain('Nothing was done.')
    expect(service.containers('admin')).toContain('web')
  })

  test('and yes is yes', async () => {
    await service.run(['create', 'doomed', '--image', 'debian'])
    const ran = await service.onTerminal('rm doomed', 'y\n')
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('Removed doomed.') as string })
    expect(service.containers('admin')).not.toContain('doomed')
  })
})

describe('on a terminal', () => {
  const escape = '\u001b['
  test('there are colours, unless NO_COLOR is set', async () => {
    const [coloured, plain] = await Promise.all([
      service.onTerminal('ps', ''),
      service.onTerminal('ps', '', { NO_COLOR: '1' }),
    ])
    expect(coloured.stdout).toContain(`${escape}1mNAME`)
    expect(plain.stdout).toContain('NAME')
    expect(plain.stdout).not.toContain(escape)
  })

  test('a file is not thrown at it', async () => {
    expect(await service.onTerminal('export web', '')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('write it to a file with -o FILE') as string,
    })
  })

  test('progress is one line that changes and then goes', async () => {
    const running = service.onTerminal('create slow-line --image debian', '')
    const operation = await until(() => service.operations().find(({ state }) => state === 'running'))
    service.tell(operation.id, 'Waiting for sshd')
    await until(() => running.stdout().includes('Waiting for sshd'))
    service.finish(operation.id, { text: 'Made slow-line.', tone: 'ok' })
    const { stdout, code } = await running
    expect(code).toBe(0)
    expect(stdout.slice(0, stdout.indexOf('Made slow-line.'))).not.toContain('\n')
    expect(stdout).toContain(`\r${escape}K${escape}32mMade slow-line.`)
  })
})

describe('a file', () => {
  const whole = Buffer.concat(Array.from({ length: 64 }, (_, at) => Buffer.alloc(16 * 1024, at)))

  test('goes to stdout', async () => {
    const { code, bytes } = await service.run(['export', 'web'])
    expect(code).toBe(0)
    expect(bytes.equals(whole)).toBe(true)
  })

  test('or where -o says, but over nothing that is there', async () => {
    const target = join(files, 'web.tar')
    expect(await service.run(['export', 'web', '-o', target])).toMatchObject({ code: 0, stdout: '' })
    expect((await readFile(target)).equals(whole)).toBe(true)
    expect(await service.run(['export', 'web', '-o', target])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('already there') as string,
    })
  })
})

describe('long work', () => {
  const running = () => service.operations().find(({ state }) => state === 'running')

  test('is waited for, with its progress line by line', async () => {
    const dcm = service.dcm(['create', 'slow-one', '--image', 'debian'])
    const { id } = await until(running)
    service.tell(id, 'Waiting for sshd')
    await until(() => dcm.stderr().includes('sshd'))
    service.finish(id, { text: 'Made slow-one.', tone: 'ok' })
    expect(await dcm.ended).toMatchObject({
      code: 0,
      stdout: 'Made slow-one.\n',
      stderr: 'Making the container\nWaiting for sshd\n',
    })
  })

  test('goes on after Ctrl-C, and can be looked at', async () => {
    const dcm = service.dcm(['create', 'slow-two', '--image', 'debian'])
    const { id } = await until(running)
    await until(() => dcm.stderr().includes('Making'))
    dcm.child.kill('SIGINT')
    expect(await dcm.ended).toMatchObject({
      code: 130,
      stdout: '',
      stderr: expect.stringContaining(`No longer waiting; it goes on. Look at it with: dcm outcome ${id}\n`) as string,
    })
    const later = service.dcm(['operations', id])
    await until(() => later.stderr().includes('Making'))
    service.finish(id, { text: 'It could not be made.', tone: 'error', error: 'conflict' })
    expect(await later.ended).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining('It could not be made.') as string,
    })
  })

  test('goes on after Ctrl-C once all of a folder was sent', async () => {
    await writeFile(join(files, 'Dockerfile'), 'FROM debian\n')
    const dcm = service.dcm(['build', 'slow:v1', files])
    const { id } = await until(running)
    await until(() => dcm.stderr().includes('Making'))
    dcm.child.kill('SIGINT')
    expect(await dcm.ended).toMatchObject({
      code: 130,
      stderr: expect.stringContaining(`No longer waiting; it goes on. Look at it with: dcm outcome ${id}\n`) as string,
    })
    service.finish(id, { text: 'Built it.', tone: 'ok' })
  })

  test('is waited for no longer than --wait says, wherever that stands', async () => {
    await writeFile(join(files, 'Dockerfile'), 'FROM debian\n')
    for (const words of [
      ['build', '--wait', '1s', 'slow:v2', files],
      ['build', 'slow:v3', files, '--wait=0', '--as', 'ann'],
    ]) {
      expect(await service.run(words)).toMatchObject({ code: 0, stdout: 'It goes on.\n' })
      for (const { id, state } of service.operations())
        if (state === 'running') service.finish(id, { text: 'Built it.', tone: 'ok' })
    }
  })

  test('is found again when DCM was away', async () => {
    const dcm = service.dcm(['create', 'slow-three', '--image', 'debian'])
    const { id } = await until(running)
    await until(() => dcm.stderr().includes('Making'))
    await service.stop()
    await until(() => dcm.stderr().includes('The link to DCM was lost'))
    await service.start()
    service.finish(id, { text: 'Made slow-three.', tone: 'ok' })
    expect(await dcm.ended).toMatchObject({ code: 0, stdout: 'Made slow-three.\n' })
  })

  test('H08 is not begun twice when the answer is lost', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dcm-lossy-'))
    let cut = 0
    const lossy = createServer((socket) => {
      const onward = connect(service.socket)
      socket.pipe(onward)
      onward.on('data', (chunk) => (cut++ === 0 ? socket.destroy() : socket.write(chunk))).on('end', () => socket.end())
      for (const end of [socket, onward]) end.on('error', () => {})
    })
    await new Promise<void>((done) => lossy.listen(join(folder, 'dcm.sock'), done))
    try {
      const ran = await service.run(['create', 'once', '--image', 'debian'], { env: { DCM_DATA_DIR: folder } })
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('Made once.') as string })
      expect(cut).toBeGreaterThan(1)
    } finally {
      lossy.close()
      await rm(folder, { recursive: true })
    }
  })
})

describe('completion', () => {
  test.each([
    ['dcm cre', 'create\n'],
    ['/usr/local/bin/dcm rm we', 'web\n'],
    ['dcm nothing-like-it', ''],
  ])('of %j', async (line, found) => {
    expect(await service.run(['__complete', line])).toMatchObject({ code: 0, stdout: found, stderr: '' })
  })

  test('is silent when nobody answers', async () => {
    expect(await startDcm(['__complete', 'dcm p'], { env: { DCM_DATA_DIR: files } }).ended).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  test('in bash, where a word goes on after ":"', async () => {
    const { stdout: script } = await service.run(['completion', 'bash'])
    const bash = (line: string) =>
      `COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(dcm); _dcm; echo "\${COMPREPLY[*]}"`
    const text = `dcm() { '${process.execPath}' '${tree}/src/client/main.ts' "$@"; }\n${script}\n${bash('dcm rm we')}\n${bash('dcm rm x:w')}\ndcm() { printf '%s\\n' web:v1 web:v2; }\n${bash('dcm rm web:v')}`
    const ran = await service.bash(text)
    expect(ran.stderr).toBe('')
    expect(ran.stdout.split('\n').map((line) => line.split(' ').sort().join(' '))).toEqual(['web', '', 'v1 v2', ''])
  })

  test('for a shell that is not known', async () => {
    expect(await service.run(['completion', 'fish'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('bash or zsh') as string,
    })
  })
})
