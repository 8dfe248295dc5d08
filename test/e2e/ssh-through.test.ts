import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { type Member, runProgram } from './support/member.ts'
import { type OpenSsh, reachDoor } from './support/openssh.ts'
import { until } from '../setup/until.ts'

const run = promisify(execFile)

let dcm: Dcm
let ada: Member
let door: OpenSsh
let jump: string[]
const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
beforeAll(async () => {
  dcm = await startDcm()
  ada = await dcm.member('ada')
  door = await reachDoor(dcm)
  await dcm.must('image offer debian:bookworm-slim --name plain')
  await ada.must('create web --image debian')
  await ada.must('create bare --image plain')
  jump = await door.jumping(ada)
})
afterAll(() => dcm[Symbol.asyncDispose]())

const inside = async (line: string, args: string[] = []) => runProgram('ssh', [...jump, ...args, 'web', line])

/** Runs ssh in the background until the work is done. */
async function during<T>(args: string[], env: NodeJS.ProcessEnv, work: () => Promise<T>): Promise<T> {
  const child = spawn('ssh', args, { env, stdio: 'ignore' })
  try {
    return await work()
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
}

const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(port)
}

/** All that a port of this machine says; behind a SOCKS5 proxy (RFC 1928), what that port of its own loopback says. */
async function read(port: string, behind?: number): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1')
  if (behind !== undefined)
    socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, Math.floor(behind / 256), behind % 256]))
  return text(socket).catch(() => '')
}

test('an image without an sftp-server is lent one: sftp and scp, up and down, byte for byte', async () => {
  const bytes = randomBytes(3 * 1024 * 1024)
  await writeFile(door.file('up'), bytes)
  expect(await door.ssh('ada+bare', ada.key, ['ls /usr/lib/openssh/sftp-server'])).not.toMatchObject({ code: 0 })
  expect(await door.scp(ada.key, [door.file('up'), 'ada+bare@127.0.0.1:/root/up'])).toMatchObject({ code: 0 })
  const batch = `rename /root/up /root/there\nchmod 600 /root/there\nget /root/there ${door.file('down')}\nls -l /root\n`
  const sftp = ['-q', ...door.options(ada.key), '-P', door.port, '-b', '-', 'ada+bare@127.0.0.1']
  expect(await runProgram('sftp', sftp, batch)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('-rw-------'),
  })
  expect(sum(await readFile(door.file('down')))).toBe(sum(bytes))
  // Whatever is asked for, it is the container's: its name and not this machine's.
  expect(await runProgram('sftp', sftp, `get /etc/hostname ${door.file('name')}\n`)).toMatchObject({ code: 0 })
  expect((await readFile(door.file('name'), 'utf8')).trim()).toBe('bare')
  expect((await door.ssh('ada+bare', ada.key, ['echo x >/run/dcm/sftp/ld.so'])).stderr).toContain('Read-only')
})

test('a new key exchange after each megabyte, in the middle of a transfer, loses nothing', async () => {
  const bytes = randomBytes(8 * 1024 * 1024)
  await writeFile(door.file('long'), bytes)
  for (const cipher of ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com']) {
    const options = [...door.options(ada.key), '-o', 'RekeyLimit=1M', '-c', cipher, '-p', door.port]
    const back = await run(
      'sh',
      ['-c', 'ssh "$@" < "$FILE" | sha256sum', 'sh', ...options, 'ada+bare@127.0.0.1', 'cat'],
      { env: { ...process.env, FILE: door.file('long') } },
    )
    expect(back.stdout).toContain(sum(bytes))
  }
})

test('-J: rsync, and git clone and push, end to end', async () => {
  await mkdir(door.file('tree/deep'), { recursive: true })
  await writeFile(door.file('tree/deep/one'), randomBytes(100_000))
  const by = `ssh ${jump.join(' ')}`
  expect(await runProgram('rsync', ['-a', '-e', by, door.file('tree/'), 'web:/root/tree/'])).toMatchObject({ code: 0 })
  expect((await inside('sha256sum /root/tree/deep/one')).stdout).toContain(
    sum(await readFile(door.file('tree/deep/one'))),
  )
  const who = ['-c', 'user.name=ada', '-c', 'user.email=ada@test', '-c', 'init.defaultBranch=main']
  expect(
    await inside(
      `git init -q --bare /root/code.git && git clone -q /root/code.git /tmp/w 2>/dev/null && cd /tmp/w && echo hi >a && git add a && git ${who.join(' ')} commit -qm one && git push -q origin HEAD:main && git -C /root/code.git symbolic-ref HEAD refs/heads/main`,
    ),
  ).toMatchObject({ code: 0 })
  const env = { ...process.env, GIT_SSH_COMMAND: by, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const git = (...words: string[]) => run('git', words, { env, cwd: door.file('.') })
  await git('clone', '-q', 'web:/root/code.git', door.file('clone'))
  expect(await readFile(door.file('clone/a'), 'utf8')).toBe('hi\n')
  await git('-C', door.file('clone'), ...who, 'commit', '-q', '--allow-empty', '-m', 'two')
  await git('-C', door.file('clone'), 'push', '-q')
  expect((await inside('git -C /root/code.git log --format=%s')).stdout).toBe('two\none\n')
})

test('-J: -L reaches what listens inside, -D too, -R what listens here', async () => {
  const listening = 'while :; do echo from inside | nc -N -l 127.0.0.1 8080; done'
  const server = spawn('ssh', [...jump, '-tt', 'web', listening], { stdio: ['pipe', 'ignore', 'ignore'] })
  const [local, socks] = [await freePort(), await freePort()]
  try {
    await during([...jump, '-N', '-L', `${local}:127.0.0.1:8080`, '-D', socks, 'web'], process.env, async () => {
      await until('-L', async () => (await read(local)) === 'from inside\n', 20)
      await until('-D', async () => (await read(socks, 8080)).endsWith('from inside\n'), 20)
    })
  } finally {
    server.kill('SIGTERM')
  }
  const here = createServer((socket) => void socket.end('from here\n')).listen(0, '127.0.0.1')
  await once(here, 'listening')
  const { port } = here.address() as AddressInfo
  await during([...jump, '-N', '-R', `9090:127.0.0.1:${port}`, 'web'], process.env, () =>
    until('-R', async () => (await inside('nc -N 127.0.0.1 9090 </dev/null')).stdout === 'from here\n', 20),
  )
  here.close()
})

test('-J: the agent is forwarded to the container alone', async () => {
  const agent = await run('ssh-agent', ['-s'])
  const [, socket] = /SSH_AUTH_SOCK=([^;]+)/.exec(agent.stdout)!
  const [, pid] = /SSH_AGENT_PID=(\d+)/.exec(agent.stdout)!
  const env = { ...process.env, SSH_AUTH_SOCK: socket! }
  try {
    await run('ssh-add', ['-q', ada.key], { env })
    const listed = await run('ssh', [...jump, '-A', 'web', 'ssh-add -L'], { env })
    expect(listed.stdout).toContain(ada.publicKey.split(' ')[1])
    const refused = await door.ssh('ada+bare', ada.key, ['echo "[$SSH_AUTH_SOCK]"'], { args: ['-A'] })
    expect(refused).toMatchObject({ code: 0, stdout: '[]\n' })
  } finally {
    process.kill(Number(pid))
  }
})

/** ssh on a terminal of this machine, which `script` makes; what is typed goes to it, what it shows is kept. */
function onTerminal(who: string, words: string[]) {
  const line = ['ssh', '-tt', ...door.options(ada.key), '-p', door.port, `${who}@127.0.0.1`, ...words]
  const quoted = line.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const child = spawn('script', ['-qefc', `stty rows 31 cols 91; exec ${quoted}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
  })
  let shown = ''
  child.stdout.on('data', (text: Buffer) => (shown += text.toString()))
  const gone = once(child, 'close')
  return {
    type: (text: string) => void child.stdin.write(text),
    /** Waits until the terminal shows it, behind what was waited for before. */
    async shows(text: string) {
      await until(`the terminal to show ${text}`, () => shown.includes(text)).catch((error: unknown) => {
        throw new Error(`${String(error)} It shows ${JSON.stringify(shown)}.`, { cause: error })
      })
      shown = shown.slice(shown.indexOf(text) + text.length)
    },
    /** Another size of the window: the kernel tells ssh. */
    async resize(rows: number, columns: number) {
      const [ssh] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ')
      await run('stty', ['-F', await readlink(`/proc/${ssh}/fd/0`), 'rows', String(rows), 'cols', String(columns)])
    },
    async code() {
      const [code] = (await gone) as [number]
      return code
    },
    end: () => void child.kill('SIGKILL'),
  }
}

test('a terminal in any image: its size, another size, Ctrl-C, Ctrl-Z, Ctrl-D, the exit code', async () => {
  const at = onTerminal('ada+bare', [])
  try {
    await at.shows('# ')
    at.type('stty size; echo term=$TERM\r')
    await at.shows('31 91')
    await at.shows('term=xterm')
    await at.resize(44, 132)
    // Asked for until it is there: the word of the new size comes by another way than what is typed.
    at.type('until stty size | grep "44 132"; do sleep 0.1; done\r')
    await at.shows('\r44 132\r')
    at.type('sleep 1000; echo after=$?\r')
    await until(
      'it to sleep',
      async () => (await door.ssh('ada+bare', ada.key, ['cat /proc/[0-9]*/comm'])).stdout.includes('sleep'),
      20,
    )
    at.type('\u0003')
    at.type('echo code=$?\r')
    await at.shows('code=130')
    at.type('sleep 1001\r')
    await until(
      'it to sleep again',
      async () => (await door.ssh('ada+bare', ada.key, ['cat /proc/[0-9]*/comm'])).stdout.includes('sleep'),
      20,
    )
    at.type('\u001a')
    await at.shows('Stopped')
    await at.shows('# ')
    at.type('kill -9 %1; wait %1; sh -c "exit 7"\r')
    // Only at its prompt does the shell take Ctrl-D for the end; the terminal drops one that comes while it is at work.
    await at.shows('# ')
    at.type('\u0004')
    expect(await at.code()).toBe(7)
  } finally {
    at.end()
  }
})

test('a program that a signal ends says so by its code, as the engine’s exec does', async () => {
  expect(await door.ssh('ada+bare', ada.key, ['kill -TERM $$'])).toMatchObject({ code: 143 })
})

test('sessions kill: the terminal says why before it ends', async () => {
  const at = onTerminal('ada', [])
  try {
    await at.shows('dcm> ')
    const { data } = await ada.must<{ id: string; doing: string }[]>('sessions')
    const { id } = data.find((one) => one.doing === 'prompt')!
    await ada.must(`sessions kill ${id}`, { yes: true })
    await at.shows('You ended this connection.')
    expect(await at.code()).toBe(255)
  } finally {
    at.end()
  }
})

test('F06: the tool on a terminal: Ctrl-C, completion, Ctrl-D', async () => {
  const at = onTerminal('ada', [])
  try {
    await at.shows('dcm> ')
    at.type('nonsen\u0003')
    await at.shows('dcm> ')
    at.type('inspect ba\t')
    await at.shows('inspect bare')
    at.type('\r')
    await at.shows('dcm> ')
    at.type('\u0004')
    expect(await at.code()).toBe(0)
  } finally {
    at.end()
  }
})

test('E07: ssh-audit finds no failure, and no warning but the one that docs/ssh.md names', async () => {
  const audit = async (port: string) => (await runProgram('ssh-audit', ['-b', '-n', '-p', port, '127.0.0.1'])).stdout
  const complaints = (said: string) => said.split('\n').filter((line) => /\[(fail|warn)\]/.test(line))
  const said = await audit(door.port)
  expect(said).toContain('(kex) curve25519-sha256')
  expect(said).toContain('aes128-gcm@openssh.com')
  expect(complaints(said)).toEqual([expect.stringMatching(/kex-strict-s-v00@openssh\.com.*unknown algorithm/)])
  // The containers' own, of the images that are offered: the same, and the post-quantum exchange that it calls experimental.
  const { port } = (await ada.must<{ port: number }>('ssh web')).data
  const known = /(kex-strict-s-v00@openssh\.com|sntrup761x25519-sha512)(@openssh\.com)? +-- \[warn\]/
  expect(complaints(await audit(String(port))).filter((line) => !known.test(line))).toEqual([])
})
