import { execFile, spawn } from 'node:child_process'
import { access, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createHostKey } from '../src/core/secret/keys.ts'

const exec = promisify(execFile)

export type Sshd = AsyncDisposable & { port: number; knownHosts: string }

/** Where the server's program is: installed, or unpacked from Debian's packages, since an installed one would run from then on. */
async function program(folder: string): Promise<{ sshd: string; libraries: string }> {
  const installed = '/usr/sbin/sshd'
  if (
    await access(installed).then(
      () => true,
      () => false,
    )
  )
    return { sshd: installed, libraries: '' }
  await exec('apt-get', ['download', 'openssh-server', 'libwrap0'], { cwd: folder })
  await exec('sh', ['-c', 'for file in *.deb; do dpkg-deb -x "$file" .; done'], { cwd: folder })
  const { stdout } = await exec('dpkg-architecture', ['-qDEB_HOST_MULTIARCH']).catch(() => ({
    stdout: process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu',
  }))
  return { sshd: join(folder, 'usr/sbin/sshd'), libraries: join(folder, 'usr/lib', stdout.trim()) }
}

/** What sshd wants of its machine (its user, an empty folder) is there for it alone. */
const apart = `set -e
mount --bind "$1/passwd" /etc/passwd
mkdir -p /run/sshd && mount -t tmpfs -o mode=755 none /run/sshd
exec "$2" -D -e -f "$1/sshd_config"`

/** Starts Debian's OpenSSH server on a free port of loopback, as packaged but for keys, limits and PAM; root logs in with `publicKey`. */
export async function startSshd(publicKey: string): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-bench-sshd-'))
  const { sshd, libraries } = await program(folder)
  const asked = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => asked.once('listening', resolve))
  const { port } = asked.address() as AddressInfo
  await new Promise((resolve) => asked.close(resolve))
  const host = createHostKey()
  await mkdir(join(folder, 'keys'))
  await writeFile(join(folder, 'keys/host'), host.privateKey, { mode: 0o600 })
  await writeFile(join(folder, 'keys/authorized'), `${publicKey}\n`)
  const known = (await readFile('/etc/passwd', 'utf8')).trimEnd()
  await copyFile('/etc/passwd', join(folder, 'passwd'))
  if (!/^sshd:/m.test(known))
    await writeFile(join(folder, 'passwd'), `${known}\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`)
  const settings = {
    ListenAddress: `127.0.0.1:${port}`,
    HostKey: join(folder, 'keys/host'),
    AuthorizedKeysFile: join(folder, 'keys/authorized'),
    PidFile: 'none',
    StrictModes: 'no',
    UsePAM: 'no',
    PermitRootLogin: 'prohibit-password',
    MaxStartups: '200:30:400',
  }
  await writeFile(
    join(folder, 'sshd_config'),
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  )
  let said = ''
  const child = spawn('unshare', ['--mount', 'sh', '-c', apart, 'sh', folder, sshd], {
    env: { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-2000)))
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
  for (let tries = 0; !(await answers()); tries++) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`sshd does not start: ${said}`)
    await sleep(25)
  }
  return {
    port,
    knownHosts: `[127.0.0.1]:${port} ${host.publicKey}`,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        const gone = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGTERM')
        await gone
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
