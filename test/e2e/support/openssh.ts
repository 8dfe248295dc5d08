import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dcm } from './dcm.ts'
import { type Member, type Ran, runProgram } from './member.ts'

/** The door of a DCM as OpenSSH's own client reaches it. */
export type OpenSsh = {
  port: string
  /** File of known_hosts, with the door's key as it is scanned. */
  known: string
  /** A file beside the data folder. */
  file(name: string): string
  /** Options of the client for one key; it knows the door's host key and nothing of this machine's settings. */
  options(key: string): string[]
  ssh(who: string, key: string, words: string[], more?: { args?: string[]; input?: string }): Promise<Ran>
  scp(key: string, args: string[]): Promise<Ran>
  /** What `config` prints for a member, in use: -F and the file's path, for ssh starts another ssh for -J. */
  jumping(member: Member): Promise<string[]>
}

export async function reachDoor(dcm: Dcm): Promise<OpenSsh> {
  const file = (name: string) => join(dcm.dataDir, '..', name)
  const told = JSON.parse(await readFile(join(dcm.dataDir, 'dcm.pid'), 'utf8')) as { ssh: string }
  const port = told.ssh.split(':')[1]!
  const known = file('known')
  await writeFile(known, (await runProgram('ssh-keyscan', ['-T', '5', '-p', port, '127.0.0.1'])).stdout)
  const options = (key: string) => [
    ...['-F', 'none', '-i', key],
    ...[
      `UserKnownHostsFile=${known}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      'IdentitiesOnly=yes',
      'BatchMode=yes',
      'LogLevel=ERROR',
      'ConnectTimeout=10',
    ].flatMap((one) => ['-o', one]),
  ]
  const ssh: OpenSsh['ssh'] = (who, key, words, more = {}) =>
    runProgram('ssh', [...options(key), '-p', port, ...(more.args ?? []), `${who}@127.0.0.1`, ...words], more.input)
  return {
    port,
    known,
    file,
    options,
    ssh,
    scp: (key, args) => runProgram('scp', ['-q', ...options(key), '-P', port, ...args]),
    async jumping(member) {
      const path = file(`config-${member.name}`)
      const lines = [
        'Host *',
        `  IdentityFile ${member.key}`,
        `  UserKnownHostsFile ${known}`,
        '  GlobalKnownHostsFile /dev/null',
        '  StrictHostKeyChecking yes',
        '  IdentitiesOnly yes',
        '  BatchMode yes',
        '  LogLevel ERROR',
      ]
      const mine = await ssh(member.name, member.key, ['config', '--only', 'ssh-config'])
      await writeFile(path, `${mine.stdout}\n${lines.join('\n')}\n`)
      await writeFile(known, (await ssh(member.name, member.key, ['config', '--only', 'known-hosts'])).stdout)
      return ['-F', path]
    },
  }
}
