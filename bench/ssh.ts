import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Dcm } from '../test/e2e/support/dcm.ts'
import { ms, pairs, type Row, timed } from './measure.ts'
import { startSshd } from './sshd.ts'

const exec = promisify(execFile)
const mebi = 1024 * 1024

/** Bytes of one bulk transfer. */
const bulk = 256 * mebi

/** How much faster the first is: times become speeds. */
const speeds = (what: string, result: { ours: number; theirs: number; ratio: number }): Row => {
  const rate = (took: number) => `${Math.round(bulk / mebi / (took / 1000))} MiB/s`
  return {
    what,
    dcm: rate(result.ours),
    other: `${rate(result.theirs)} (OpenSSH's server)`,
    ratio: (1 / result.ratio).toFixed(2),
    aim: 'over 0.67',
  }
}

const waits = (what: string, result: { ours: number; theirs: number; ratio: number }, aim: string): Row => ({
  what,
  dcm: ms(result.ours),
  other: `${ms(result.theirs)} (OpenSSH's server)`,
  ratio: result.ratio.toFixed(2),
  aim,
})

/** The SSH door against Debian's OpenSSH server, each by OpenSSH's client with nothing set but keys. */
export async function benchSsh(dcm: Dcm, say: (line: string) => void): Promise<Row[]> {
  const cleo = await dcm.member('cleo')
  const made = await cleo.must<{ port: number }>('create web --image debian')
  const told = JSON.parse(await readFile(join(dcm.dataDir, 'dcm.pid'), 'utf8')) as { ssh: string }
  await using sshd = await startSshd(cleo.publicKey)
  const folder = await mkdtemp(join(tmpdir(), 'dcm-bench-ssh-'))
  try {
    const settings = join(folder, 'config')
    const { known_hosts: known } = (await dcm.must<{ known_hosts: string }>('config', { token: cleo.token })).data
    await writeFile(join(folder, 'known'), `${known}\n${sshd.knownHosts}\n`)
    const container = `HostName 127.0.0.1\n  Port ${made.data.port}\n  User root\n  HostKeyAlias web`
    await writeFile(
      settings,
      [
        `Host door\n  HostName 127.0.0.1\n  Port ${told.ssh.split(':')[1]}\n  User cleo`,
        `Host inside\n  HostName 127.0.0.1\n  Port ${told.ssh.split(':')[1]}\n  User cleo+web`,
        `Host through\n  HostName web\n  User root\n  ProxyJump door`,
        `Host sshd\n  HostName 127.0.0.1\n  Port ${sshd.port}\n  User root`,
        `Host theirs\n  ${container}\n  ProxyJump sshd`,
        `Host *\n  IdentityFile ${cleo.key}\n  IdentitiesOnly yes\n  BatchMode yes\n  LogLevel ERROR`,
        `  UserKnownHostsFile ${join(folder, 'known')}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n`,
      ].join('\n'),
    )
    const ssh = (host: string, ...words: string[]) => exec('ssh', ['-F', settings, host, ...words])
    const shell = (line: string) => exec('sh', ['-c', `set -e; ${line}`])
    const down = (host: string) => () =>
      timed(() => shell(`ssh -F ${settings} ${host} 'head -c ${bulk} /dev/zero' >/dev/null`))
    const up = (host: string) => () =>
      timed(() => shell(`head -c ${bulk} /dev/zero | ssh -F ${settings} ${host} 'cat >/dev/null'`))
    const login = (host: string, words: string) => () => timed(() => ssh(host, words))
    const fifty = (host: string, words: string) => () =>
      timed(() => Promise.all(Array.from({ length: 50 }, () => ssh(host, words))))

    for (const host of ['door', 'inside', 'through', 'sshd', 'theirs'])
      await ssh(host, host === 'door' ? 'whoami' : 'true')
    const rows: Row[] = []
    say('  ssh: logins')
    rows.push(
      waits(
        'SSH login to the output of `whoami`',
        await pairs(25, login('door', 'whoami'), login('sshd', 'whoami')),
        'under 1.00',
      ),
      waits(
        'the same in a container, by exec',
        await pairs(25, login('inside', 'whoami'), login('sshd', 'whoami')),
        '',
      ),
      waits(
        'the same through `-J`',
        await pairs(15, login('through', 'whoami'), login('theirs', 'whoami')),
        'under 1.00',
      ),
      waits('fifty logins at once', await pairs(5, fifty('door', 'whoami'), fifty('sshd', 'whoami')), 'under 1.00'),
    )
    say('  ssh: echo')
    const [ours, theirs] = [await echo(settings, 'inside'), await echo(settings, 'sshd')]
    try {
      rows.push(waits('echo of one key in a PTY', await pairs(301, ours.key, theirs.key), ''))
    } finally {
      ours.end()
      theirs.end()
    }
    say('  ssh: transfers')
    for (const [what, mine, other] of [
      ['through `-J`', 'through', 'theirs'],
      ['by exec', 'inside', 'sshd'],
    ] as const)
      rows.push(
        speeds(`256 MiB down ${what}`, await pairs(5, down(mine), down(other))),
        speeds(`256 MiB up ${what}`, await pairs(5, up(mine), up(other))),
      )
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A terminal that shows what is typed; `key` types one and waits until it is seen. */
async function echo(settings: string, host: string) {
  const child = spawn('ssh', ['-F', settings, '-tt', host, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const key = () =>
    timed(async () => {
      const seen = once(child.stdout, 'data')
      child.stdin.write('x')
      await seen
    })
  await key()
  return { key, end: () => void child.kill('SIGTERM') }
}
