import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createHostKey } from '../src/core/secret/keys.ts'
import type { Dcm } from '../test/e2e/support/dcm.ts'
import { sharedSocket } from '../test/setup/engine.ts'
import { createClient, must } from './engine.ts'
import { ms, pairs, type Row, timed } from './measure.ts'

const exec = promisify(execFile)
const login = [
  '-o',
  'BatchMode=yes',
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'LogLevel=ERROR',
]

/** Tries to log in until it works: the engine's proxy accepts before anything listens inside. */
async function untilLogin(key: string, port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      await exec('ssh', [...login, '-i', key, '-p', String(port), 'root@127.0.0.1', 'true'])
      return
    } catch {
      await sleep(10)
    }
  }
  throw new Error('no login')
}

/** From the wish for a container to the first SSH login, against the engine alone with the same image and prepared keys. */
export async function benchCreate(dcm: Dcm, say: (line: string) => void): Promise<Row[]> {
  say('  create to first login')
  const bea = await dcm.member('bea')
  const engine = createClient({ socketPath: sharedSocket })
  const image = (await must<{ Id: string; RepoTags: string[] | null }[]>(engine, 'GET', '/v1.41/images/json')).find(
    (one) => one.RepoTags?.some((tag) => tag.startsWith(`dcm/${dcm.instance()}/`)),
  )!.Id
  const folder = await mkdtemp(join(tmpdir(), 'dcm-bench-'))
  const run = join(folder, 'run')
  await mkdir(run)
  const host = createHostKey()
  await writeFile(join(run, 'host'), host.privateKey, { mode: 0o600 })
  await copyFile(`${bea.key}.pub`, join(run, 'authorized_keys'))
  await writeFile(
    join(run, 'sshd_config'),
    [
      'HostKey /run/bench/host',
      'AuthorizedKeysFile /run/bench/authorized_keys',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      '',
    ].join('\n'),
  )
  // The member's network is there before anything is measured.
  await bea.must('create first --image debian')
  let at = 0
  const ours = async () => {
    const name = `b${at++}`
    const took = await timed(async () => {
      const made = await bea.must(`create ${name} --image debian`)
      await untilLogin(bea.key, (made.data as { port: number }).port)
    })
    await bea.must(`rm -f ${name}`)
    return took
  }
  const theirs = async () => {
    const port = 30_100 + (at % 50)
    let id = ''
    const took = await timed(async () => {
      id = (
        await must<{ Id: string }>(engine, 'POST', '/v1.41/containers/create', {
          Image: image,
          Cmd: ['sh', '-c', 'mkdir -p /run/sshd && exec /usr/sbin/sshd -D -f /run/bench/sshd_config'],
          ExposedPorts: { '22/tcp': {} },
          HostConfig: {
            Init: true,
            PortBindings: { '22/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
            Mounts: [{ Type: 'bind', Source: run, Target: '/run/bench', ReadOnly: true }],
          },
        })
      ).Id
      await must(engine, 'POST', `/v1.41/containers/${id}/start`)
      await untilLogin(bea.key, port)
    })
    await must(engine, 'DELETE', `/v1.41/containers/${id}?force=1&v=1`)
    return took
  }
  try {
    await ours()
    await theirs()
    const result = await pairs(9, ours, theirs)
    return [
      {
        what: 'create to first SSH login',
        dcm: ms(result.ours),
        other: `${ms(result.theirs)} (docker run, prepared keys)`,
        ratio: result.ratio.toFixed(2),
        aim: 'under 1.15',
      },
      await benchCommit(dcm, say, bea),
    ]
  } finally {
    engine.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Saving a container with 50 MB of its own, against the engine's commit. */
async function benchCommit(
  dcm: Dcm,
  say: (line: string) => void,
  bea: Awaited<ReturnType<Dcm['member']>>,
): Promise<Row> {
  say('  commit')
  const engine = createClient({ socketPath: sharedSocket })
  await bea.ssh('first', 'head -c 50000000 /dev/urandom >/root/data')
  const { id } = (await bea.must('inspect first')).data as { id: string }
  const name = `dcm-${dcm.instance()}-${id}`
  const { Id } = await must<{ Id: string }>(engine, 'GET', `/v1.41/containers/${name}/json`)
  const ours = async () => {
    const took = await timed(() => bea.must('commit first saved:v1'))
    await bea.must('rmi -f saved:v1')
    return took
  }
  const theirs = async () => {
    let image = ''
    const took = await timed(async () => {
      image = (await must<{ Id: string }>(engine, 'POST', `/v1.41/commit?container=${Id}&repo=dcm-bench&tag=1`, {})).Id
    })
    await must(engine, 'DELETE', `/v1.41/images/${image}?force=1`)
    return took
  }
  await ours()
  await theirs()
  const result = await pairs(5, ours, theirs)
  engine.close()
  return {
    what: 'commit, 50 MB of changes',
    dcm: ms(result.ours),
    other: `${ms(result.theirs)} (docker commit)`,
    ratio: result.ratio.toFixed(2),
    aim: '',
  }
}
