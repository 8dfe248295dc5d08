import { execFile, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Said } from './ask.ts'
import type { Dcm, Running } from './dcm.ts'

const exec = promisify(execFile)

export type Ran = { code: number; stdout: string; stderr: string }

/** A member with a key pair and a token of their own, and what they do with the real OpenSSH client. */
export type Member = {
  name: string
  /** Path of the private key; the public one is beside it. */
  key: string
  publicKey: string
  token: string
  /** A command with the member's own token; a refusal is an answer. */
  run<T = unknown>(words: string | string[], options?: Running): Promise<Said<T>>
  /** The same, where only success will do. @throws with the refusal's sentence */
  must<T = unknown>(words: string | string[], options?: Running): Promise<Said<T>>
  ssh(container: string, command: string, options?: { input?: string; args?: string[]; key?: string }): Promise<Ran>
  /** `scp` with this member's key; in a path, `CONTAINER:` stands for the container. */
  scp(container: string, from: string, to: string): Promise<Ran>
  /** `sftp` that is given a batch of its own commands. */
  sftp(container: string, batch: string): Promise<Ran>
  /** `rsync -a` with this member's key; paths as for `scp`. */
  rsync(container: string, from: string, to: string): Promise<Ran>
}

/** Runs a program to its end, whatever that is. */
export function runProgram(
  program: string,
  args: string[],
  input = '',
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    const parts: { out: Buffer[]; err: Buffer[] } = { out: [], err: [] }
    child.stdout.on('data', (chunk: Buffer) => parts.out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => parts.err.push(chunk))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    const late = setTimeout(() => child.kill('SIGKILL'), 120_000)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(late)
      const [stdout, stderr] = [Buffer.concat(parts.out).toString(), Buffer.concat(parts.err).toString()]
      resolve({ code: code ?? 255, stdout, stderr })
    })
  })
}

/** Makes a key pair; @returns the private file's path and the public line. */
export async function makeKey(folder: string, name: string): Promise<{ key: string; publicKey: string }> {
  const key = join(folder, `key-${name}-${Math.random().toString(36).slice(2, 8)}`)
  await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `${name}@test`, '-f', key])
  return { key, publicKey: (await readFile(`${key}.pub`, 'utf8')).trim() }
}

/** Adds a member with a fresh key and a token. */
export async function addMember(
  dcm: Dcm,
  folder: string,
  enter: string[],
  name: string,
  admin: boolean,
): Promise<Member> {
  const { key, publicKey } = await makeKey(folder, name)
  await dcm.must(['user', 'add', name, '--key', publicKey, ...(admin ? ['--admin'] : [])])
  const made = await dcm.must<{ token: string }>(['token', 'new', 'test'], { as: name })
  const { token } = made.data

  /** Files of known hosts by port and fingerprint: a key that was seen once is asked for again by each login itself. */
  const hosts: Record<string, Promise<string>> = {}
  async function knownHosts(host: string, port: number, fingerprint: string): Promise<string> {
    const known = `${key}.${port}.${fingerprint.replaceAll(/\W/g, '')}.known`
    const scan = await runProgram(enter[0] ?? 'ssh-keyscan', [
      ...(enter.length > 0 ? [...enter.slice(1), 'ssh-keyscan'] : []),
      ...['-T', '5', '-t', 'ed25519', '-p', String(port), host],
    ])
    const told = await runProgram('ssh-keygen', ['-lf', '-'], scan.stdout)
    const matches = told.stdout.includes(fingerprint)
    if (!matches) delete hosts[`${port} ${fingerprint}`]
    // Another key than DCM's word is not known, and the client refuses it.
    await writeFile(known, matches ? scan.stdout : '')
    return known
  }

  /** The options of one login; the container's host key is the one that DCM named, or none. */
  const login = async (
    container: string,
    identity = key,
  ): Promise<{ options: string[]; port: number; host: string }> => {
    const { data } = await dcm.must<{ host: string; port: number; fingerprint: string }>(['ssh', container], { token })
    const { host, port, fingerprint } = data
    const scanned = `${port} ${fingerprint}`
    const known = await (hosts[scanned] ??= knownHosts(host, port, fingerprint))
    const settings = [
      `UserKnownHostsFile=${known}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      'IdentitiesOnly=yes',
      'BatchMode=yes',
      'LogLevel=ERROR',
      'ConnectTimeout=10',
    ]
    return { options: ['-F', 'none', '-i', identity, ...settings.flatMap((one) => ['-o', one])], port, host }
  }
  const program = (name: string, args: string[], input?: string) =>
    runProgram(enter[0] ?? name, enter.length > 0 ? [...enter.slice(1), name, ...args] : args, input)

  return {
    name,
    key,
    publicKey,
    token,
    run: (words, options = {}) => dcm.run(words, { token, ...options }),
    must: (words, options = {}) => dcm.must(words, { token, ...options }),
    async ssh(container, command, options = {}) {
      const to = await login(container, options.key)
      const args = [...to.options, '-p', String(to.port), ...(options.args ?? []), `root@${to.host}`, command]
      return program('ssh', args, options.input)
    },
    async scp(container, from, to) {
      const at = await login(container)
      const place = (path: string) => path.replace(`${container}:`, `root@${at.host}:`)
      return program('scp', ['-q', ...at.options, '-P', String(at.port), place(from), place(to)])
    },
    async rsync(container, from, to) {
      const at = await login(container)
      const place = (path: string) => path.replace(`${container}:`, `root@${at.host}:`)
      return program('rsync', [
        '-a',
        '-e',
        ['ssh', ...at.options, '-p', String(at.port)].join(' '),
        place(from),
        place(to),
      ])
    },
    async sftp(container, batch) {
      const at = await login(container)
      return program('sftp', ['-q', ...at.options, '-P', String(at.port), '-b', '-', `root@${at.host}`], batch)
    },
  }
}
