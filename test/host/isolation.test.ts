import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { baseCaps } from '../../src/core/host/docker/create.ts'
import { run } from '../../src/core/host/docker/program.ts'
import { ask, sharedSocket } from '../setup/engine.ts'
import { probe, reach } from '../setup/probe.ts'
import {
  clearHost,
  createLogin,
  createMember,
  createRealHost,
  type Login,
  type Made,
  type RealHost,
  ssh,
  type TestMember,
} from '../setup/host.ts'

const lines = (text: string) => text.trim().split('\n').sort()

/** Perl that knocks at a container's sshd for four seconds, and prints how often, and how often it was let in. */
const knocking = (address: string) => `
use IO::Socket::INET;
my ($end, $tries, $reached) = (time + 4, 0, 0);
while (time < $end) {
  $tries++;
  my $socket = IO::Socket::INET->new(PeerAddr => "${address}", PeerPort => 22, Timeout => 0.02) or next;
  $reached++;
  close $socket;
  select undef, undef, undef, 0.02;
}
print "$tries $reached\\n";`

describe('two members on one host', () => {
  let real: RealHost
  let [alice, bob]: TestMember[] = []
  let login: Login
  let [own, sister, foreign]: Made[] = []
  let server: Server
  let hostPort: number

  beforeAll(async () => {
    real = await createRealHost('hi')
    expect(await real.host.net.ensureFirewall()).toEqual([])
    alice = await createMember(real, 'alice')
    bob = await createMember(real, 'bob')
    login = await createLogin(real.data)
    const line = `${login.line}\n`
    own = await alice.make({}, line)
    sister = await alice.make({ name: 'sister' }, line)
    foreign = await bob.make({ name: 'foreign', command: ['busybox', 'httpd', '-f', '-p', '8080'] }, line)
    for (const made of [own, sister, foreign])
      expect(await real.host.net.greet(made.port, made.key.fingerprint, 20_000)).toEqual({ ok: true })
    server = createServer((socket) => void socket.on('error', () => undefined).end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
    hostPort = (server.address() as { port: number }).port
  })
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve))
    await clearHost(real)
    await real.close()
  })

  const addressOf = async (made: Made): Promise<{ address: string; gateway: string }> => {
    const seen = await ask<{ NetworkSettings: { Networks: Record<string, { IPAddress: string; Gateway: string }> } }>(
      sharedSocket,
      'GET',
      `/containers/${made.engineId}/json`,
    )
    const end = seen.NetworkSettings.Networks[made.network]!
    return { address: end.IPAddress, gateway: end.Gateway }
  }

  test("O01, O02: neither another member's container nor the host can be reached, by any of their addresses", async () => {
    const [mine, theirs, hers] = [await addressOf(own!), await addressOf(foreign!), await addressOf(sister!)]
    const hosts = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter((item) => item.family === 'IPv4' && !item.internal)
    const closed = [
      `${theirs.address}:22`,
      `${theirs.address}:8080`,
      `${mine.gateway}:${hostPort}`,
      `${theirs.gateway}:${hostPort}`,
      `${theirs.gateway}:${foreign!.port}`,
      ...hosts.flatMap((item) => [`${item.address}:${hostPort}`, `${item.address}:${foreign!.port}`]),
      '169.254.169.254:80',
    ]
    const open = [`${hers.address}:22`, 'sister:22']
    const { stdout } = await ssh(own!, login, reach([...open, ...closed]))
    expect(lines(stdout)).toEqual(
      [...open.map((target) => `${target} reached`), ...closed.map((target) => `${target} closed`)].sort(),
    )
    // What was closed to the member is there: the host itself gets in.
    const local = await run('bash', [
      '-c',
      reach([`${theirs.address}:8080`, `${theirs.address}:22`, `${mine.gateway}:${hostPort}`]),
    ])
    expect(lines(local.stdout).filter((line) => !line.endsWith(' reached'))).toEqual([])
  }, 120_000)

  test('O02: not even in the moment in which Docker makes another network', async () => {
    const [theirs, hers] = [await addressOf(foreign!), await addressOf(sister!)]
    // Docker takes its own rules out and in again each time.
    const churn = async (signal: AbortSignal) => {
      for (let made = 0; ; made++) {
        if (signal.aborted) return made
        const { Id } = await ask<{ Id: string }>(sharedSocket, 'POST', '/networks/create', {
          Name: `${real.instance}-x`,
        })
        await ask(sharedSocket, 'DELETE', `/networks/${Id}`)
      }
    }
    const knock = async (address: string) => {
      const { stdout } = await ssh(own!, login, `perl -e '${knocking(address)}'`)
      const [tries = 0, reached = 0] = stdout.trim().split(' ').map(Number)
      return { tries, reached }
    }
    const enough = new AbortController()
    const churning = churn(enough.signal)
    const [closed, open] = await Promise.all([knock(theirs.address), knock(hers.address)]).finally(() => enough.abort())
    expect(await churning).toBeGreaterThan(2)
    expect(closed.tries).toBeGreaterThan(20)
    expect(closed.reached).toBe(0)
    expect(open.reached).toBeGreaterThan(20)
  }, 120_000)

  test('names, and the packages that the host itself uses, can be reached', async () => {
    const { stdout, code } = await ssh(own!, login, 'apt-get update >/tmp/log 2>&1; echo $?; grep -c ^E: /tmp/log')
    expect(`${stdout} ${code}`).toBe('0\n0\n 1')
  }, 120_000)

  test('the firewall says what is missing, and puts it back', async () => {
    expect(await real.host.net.checkFirewall()).toEqual([])
    // A chain of DCM's own, on bridges of which none is another test's: nothing else depends on it.
    const rule = ['-w', '10', '-t', 'mangle', '-D', 'DCM-FWD', '-d', '198.18.0.0/15', '-j', 'DROP']
    expect(await run('iptables', rule)).toMatchObject({ ok: true })
    expect(await real.host.net.checkFirewall()).toEqual([
      'The iptables chain DCM-FWD of the table mangle is not as DCM set it.',
    ])
    expect(await real.host.net.ensureFirewall()).toEqual([])
    expect(await real.host.net.checkFirewall()).toEqual([])
  })

  test('A13: a default container is hardened, seen from inside', async () => {
    const { stdout } = await ssh(own!, login, 'sh', { input: probe })
    const seen = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')),
    )
    const bits = {
      CHOWN: 0,
      DAC_OVERRIDE: 1,
      FOWNER: 3,
      FSETID: 4,
      KILL: 5,
      SETGID: 6,
      SETUID: 7,
      SYS_CHROOT: 18,
      AUDIT_WRITE: 29,
    }
    expect(Object.keys(bits).sort()).toEqual([...baseCaps].sort())
    const bounding = Object.values(bits).reduce((sum, bit) => sum + 2 ** bit, 0)
    expect(Number.parseInt(seen.bounding!, 16)).toBe(bounding)
    expect(seen).toMatchObject({
      privileges: '1',
      seccomp: '2',
      usernamespace: 'no',
      mountnamespace: 'no',
      mount: 'no',
      remount: 'no',
      mknod: 'no',
      'core-pattern': 'no',
      sysrq: 'no',
      cgroup: 'no',
      'run-folder': 'no',
      socket: '0',
      core: '0',
      firmware: '0',
      keys: '0',
      devices: '0',
      interfaces: '0',
      'foreign-mounts': '0',
    })
    expect(seen.processes).toMatch(/init/)
    const storage = await real.host.files.storage('alice')
    expect(seen.storage).toBe(storage?.hard ? '2' : '0')
  })

  test('A13: and as the engine keeps it', async () => {
    type Kept = {
      HostConfig: Record<string, unknown>
      Config: Record<string, unknown>
      Mounts: { Destination: string; RW: boolean }[]
    }
    const seen = await ask<Kept>(sharedSocket, 'GET', `/containers/${own!.engineId}/json`)
    expect(seen.HostConfig).toMatchObject({
      Privileged: false,
      CapDrop: ['ALL'],
      CgroupnsMode: 'private',
      IpcMode: 'private',
      PidMode: '',
      UTSMode: '',
      UsernsMode: '',
      Binds: null,
      VolumesFrom: null,
      Links: null,
      GroupAdd: null,
      PublishAllPorts: false,
      AutoRemove: false,
      Runtime: 'runc',
      SecurityOpt: ['no-new-privileges'],
      Memory: 192 * 1024 ** 2,
      MemorySwap: 192 * 1024 ** 2,
      PidsLimit: 100,
      NanoCpus: 1e9,
      LogConfig: { Type: 'json-file' },
      RestartPolicy: { Name: 'no' },
      NetworkMode: own!.network,
      PortBindings: { '22/tcp': [{ HostIp: '127.0.0.1', HostPort: String(own!.port) }] },
    })
    expect(seen.HostConfig.MaskedPaths).toContain('/proc/kcore')
    expect(seen.HostConfig.ReadonlyPaths).toContain('/proc/sys')
    expect(seen.Config).toMatchObject({ User: '0:0', Healthcheck: { Test: ['NONE'] }, StopSignal: 'SIGTERM' })
    expect(Object.fromEntries(seen.Mounts.map((mount) => [mount.Destination, mount.RW]))).toEqual({
      '/run/dcm': false,
      '/run/dcm/storage': true,
    })
  })

  test('A06, A11: a granted capability and restart policy, and nothing more, come to it', async () => {
    const made = await alice!.make({ caps: ['SYS_PTRACE'], restart: { name: 'on-failure', max: 5 } }, `${login.line}\n`)
    const seen = await ask<{ HostConfig: { CapAdd: string[]; RestartPolicy: unknown } }>(
      sharedSocket,
      'GET',
      `/containers/${made.engineId}/json`,
    )
    expect(seen.HostConfig.CapAdd.map((cap) => cap.replace(/^CAP_/, '')).sort()).toEqual(
      [...baseCaps, 'SYS_PTRACE'].sort(),
    )
    expect(seen.HostConfig.RestartPolicy).toEqual({ Name: 'on-failure', MaximumRetryCount: 5 })
  })
})
