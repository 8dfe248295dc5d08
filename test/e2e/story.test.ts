import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../setup/engine.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import { makeKey, type Member } from './support/member.ts'
import { until } from '../setup/until.ts'

/** What `create` and its kin give to machines; design.md section 5. */
type Machine = {
  id: string
  name: string
  state: string
  ssh: string
  host: string
  port: number
  user: string
  fingerprint: string
  ports: { container: number; proto: string; host: string; port: number }[]
}

let [dcm, alice, bob, folder]: [Dcm, Member, Member, string] = [] as never
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcm-story-'))
  dcm = await startDcm({ database: 'embedded', env: { DCM_EGRESS_ALLOW: 'apt' } })
  ;[alice, bob] = await Promise.all([dcm.member('alice'), dcm.member('bob')])
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const inspect = async (name: string, who = alice) => (await who.must<Machine>(`inspect ${name}`)).data

const get = (port: number, path = '/') =>
  new Promise<string>((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, agent: false },
      (answer) => void text(answer).then(resolve, reject),
    )
    asked.on('error', reject)
    asked.end()
  })

/** A port of this host that nothing listens on, outside DCM's own range. */
async function freePort(): Promise<number> {
  for (let port = 443; port < 1000; port++) {
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    await new Promise((closed) => server.close(closed))
    if (free) return port
  }
  throw new Error('No low port is free here.')
}

describe('a member gets a container', () => {
  let made: Machine

  test('created from an offered image; the answer holds the exact ssh line and the host key', async () => {
    const { data: images } = await alice.must<{ image: string; whose: string }[]>('images')
    expect(images).toMatchObject([{ image: 'debian:latest', whose: 'offered' }])
    const reply = await alice.must<Machine>('create web --image debian -p 80 -e GREETING=hello')
    made = reply.data
    expect(made).toMatchObject({
      name: 'web',
      state: 'running',
      user: 'root',
      host: '127.0.0.1',
      ssh: `ssh -p ${made.port} root@127.0.0.1`,
    })
    expect(reply.fields).toMatchObject({ ssh: made.ssh, fingerprint: made.fingerprint })
    expect(made.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
    expect(made.ports).toMatchObject([{ container: 80, proto: 'tcp' }])
  })

  test('reached over SSH with the same key on another port, at once', async () => {
    // The client insists on the host key that DCM named.
    const ran = await alice.ssh('web', 'whoami; hostname; echo $GREETING; pwd')
    expect(ran).toEqual({ code: 0, stdout: 'root\nweb\nhello\n/root\n', stderr: '' })
    expect((await bob.ssh('web', 'true').catch((error: unknown) => error)) instanceof Error).toBe(true)
  })

  test('files go by sftp, scp and rsync, both ways', async () => {
    const file = join(folder, 'note')
    await writeFile(file, 'over the wire\n')
    expect(await alice.scp('web', file, 'web:/root/by-scp')).toMatchObject({ code: 0 })
    expect(await alice.sftp('web', `put ${file} /root/by-sftp\nget /root/by-scp ${folder}/back\n`)).toMatchObject({
      code: 0,
    })
    expect(await alice.rsync('web', file, 'web:/root/by-rsync')).toMatchObject({ code: 0 })
    expect((await alice.ssh('web', 'cat by-scp by-sftp by-rsync')).stdout).toBe('over the wire\n'.repeat(3))
    expect(await readFile(join(folder, 'back'), 'utf8')).toBe('over the wire\n')
  })

  test('its public port was chosen by DCM from the range, and is reached', async () => {
    const [port] = made.ports
    expect(port!.port).toBeGreaterThanOrEqual(20_000)
    expect(port!.port).toBeLessThan(30_000)
    await alice.ssh(
      'web',
      'mkdir -p /srv; echo from the web > /srv/index.html; cd /srv; (while :; do { printf "HTTP/1.0 200 OK\\r\\n\\r\\n"; cat index.html; } | nc -l -N -p 80; done) >/dev/null 2>&1 &',
    )
    await until(
      'the web server',
      () =>
        get(port!.port).then(
          (said) => said.trim() === 'from the web',
          () => false,
        ),
      20,
    )
  })

  test('apt-get installs inside', async () => {
    const ran = await alice.ssh(
      'web',
      'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends hello >/dev/null && hello',
    )
    expect(ran.stdout.trim().split('\n').at(-1), ran.stderr).toBe('Hello, world!')
    expect(ran.code).toBe(0)
  })
})

describe('the same verbs', () => {
  test('stop, start, restart: port, host key and files stay', async () => {
    const before = await inspect('web')
    await alice.ssh('web', 'echo kept > /root/kept')
    await alice.must('stop web')
    expect(await inspect('web')).toMatchObject({ state: 'exited', port: before.port })
    expect((await alice.ssh('web', 'true')).code).toBe(255)
    await alice.must('start web')
    expect((await alice.ssh('web', 'cat /root/kept')).stdout).toBe('kept\n')
    await alice.must('restart web -t 1')
    expect((await alice.ssh('web', 'cat /root/kept')).stdout).toBe('kept\n')
    const { port, fingerprint, ports } = await inspect('web')
    expect({ port, fingerprint, ports }).toEqual({
      port: before.port,
      fingerprint: before.fingerprint,
      ports: before.ports,
    })
  })

  test('pause holds what runs where it is; unpause lets it go on', async () => {
    await alice.ssh('web', 'sh -c "while :; do echo x >> /root/ticks; sleep 0.1; done" >/dev/null 2>&1 &')
    await alice.must('pause web')
    expect(await inspect('web')).toMatchObject({ state: 'paused' })
    const [{ Id, State } = { Id: '', State: { Status: '' } }] = (await lookAt(dcm.engine, dcm.instance())).containers
    expect(State.Status).toBe('paused')
    await alice.must('unpause web')
    expect((await ask<{ State: { Status: string } }>(dcm.engine, 'GET', `/containers/${Id}/json`)).State.Status).toBe(
      'running',
    )
    expect((await alice.ssh('web', 'test -s /root/ticks && echo going')).stdout).toBe('going\n')
  })
})

describe('E09: DCM itself stops and starts again', () => {
  test('containers go on meanwhile, and everything is as before', async () => {
    const before = await inspect('web')
    expect(await dcm.stop()).toBe(0)
    // Invariant 9: what members have goes on without DCM.
    await new Promise<void>((resolve, reject) => {
      const socket = connect(before.port, '127.0.0.1')
      socket.once('data', (line) => (String(line).startsWith('SSH-2.0-') ? resolve() : reject(new Error(String(line)))))
      socket.once('error', reject)
    })
    await dcm.restart()
    expect(await inspect('web')).toEqual({ ...before, ...{ state: 'running' } })
    expect((await alice.ssh('web', 'cat /root/kept')).stdout).toBe('kept\n')
  })
})

describe("only one's own", () => {
  test('C02: each sees and names what is theirs', async () => {
    await bob.must('create web --image debian -m 128m')
    expect((await bob.must<Machine[]>('ps')).data.map((one) => one.name)).toEqual(['web'])
    const [hers, his] = [await inspect('web'), await inspect('web', bob)]
    expect(hers.id).not.toBe(his.id)
    expect(hers.fingerprint).not.toBe(his.fingerprint)
    await bob.must('stop web')
    expect((await inspect('web')).state).toBe('running')
    for (const line of ['inspect alice/web', `stop ${hers.id}`, 'create x --image web:v1'])
      expect((await bob.run(line)).error, line).toBe('not_found')
    await bob.must('start web')
  })

  test("one's key does not open the other's container", async () => {
    const his = await inspect('web', bob)
    const stolen = await bob.ssh('web', 'true', { key: alice.key })
    expect(stolen).toMatchObject({ code: 255, stderr: expect.stringContaining('Permission denied') })
    expect(his.state).toBe('running')
  })
})

describe("an image of one's own", () => {
  test('is saved, listed, and copies are made of it with host keys of their own', async () => {
    const saved = await alice.must<{ image: string; kept_env: string[] }>([
      'commit',
      'web',
      'web:v1',
      '-m',
      'as it is now',
    ])
    expect(saved.data).toMatchObject({ image: 'web:v1', kept_env: ['GREETING'] })
    expect(saved.text).toContain('/storage is not in it')
    await alice.must('create web2 --image web:v1')
    expect((await alice.ssh('web2', 'cat /root/kept; hello; hostname; echo $GREETING')).stdout).toBe(
      'kept\nHello, world!\nweb2\nhello\n',
    )
    const [one, two] = [await inspect('web'), await inspect('web2')]
    expect(one.fingerprint).not.toBe(two.fingerprint)
    expect((await alice.must<{ image: string }[]>('images')).data.map((image) => image.image)).toContain('web:v1')
    expect((await bob.must<{ image: string }[]>('images')).data.map((image) => image.image)).toEqual(['debian:latest'])
  })

  test('is removed when nothing is made of it any more', async () => {
    expect(await alice.run('rmi web:v1', { yes: true })).toMatchObject({
      error: 'conflict',
      text: expect.stringContaining('web2'),
    })
    await alice.must('rm -f web2')
    await alice.must('rmi web:v1', { yes: true })
    expect((await lookAt(dcm.engine, dcm.instance())).tags).toHaveLength(1)
  })
})

describe('storage', () => {
  test("is one directory of theirs in each of their containers, and of nobody else's", async () => {
    await alice.must('create other --image debian -m 128m')
    await alice.ssh('web', 'echo shared > /storage/note')
    expect((await alice.ssh('other', 'cat /storage/note')).stdout).toBe('shared\n')
    expect((await bob.ssh('web', 'ls -A /storage | grep -v lost+found')).stdout).toBe('')
    await alice.must('rm -f other')
    await alice.must('create other --image debian -m 128m')
    expect((await alice.ssh('other', 'cat /storage/note')).stdout).toBe('shared\n')
  })

  test("O06: a member's own containers find each other by name", async () => {
    expect((await alice.ssh('other', 'getent hosts web >/dev/null && nc -z -w 3 web 22 && echo reached')).stdout).toBe(
      'reached\n',
    )
    expect((await bob.ssh('web', 'getent hosts other || echo unknown')).stdout).toBe('unknown\n')
    await alice.must('rm -f other')
  })
})

describe('what an admin permits to one', () => {
  test('a host port', async () => {
    const port = await freePort()
    const line = `create shop --image debian -m 128m -p ${port}:80`
    expect(await alice.run(line)).toMatchObject({
      error: 'denied',
      text: expect.stringContaining(`grant MEMBER port:${port}`),
    })
    await dcm.must(`grant alice port:${port}`)
    expect((await bob.run(line)).error).toBe('denied')
    const { data } = await alice.must<Machine>(line)
    expect(data.ports).toEqual([
      { container: 80, proto: 'tcp', host: '127.0.0.1', port, share: 'site', expires_at: null },
    ])
    await alice.ssh('shop', '(printf "HTTP/1.0 200 OK\\r\\n\\r\\nopen\\n" | nc -l -N -p 80) >/dev/null 2>&1 &')
    await until(
      'the shop',
      () =>
        get(port).then(
          (said) => said.trim() === 'open',
          () => false,
        ),
      20,
    )
    await alice.must('rm -f shop')
  })

  test('a capability, with an end; and a restart policy', async () => {
    const line = 'create tool --image debian -m 128m --cap-add SYS_PTRACE --restart on-failure:2 -- sh -c "exit 3"'
    expect((await alice.run(line)).error).toBe('denied')
    await dcm.must('grant alice cap:SYS_PTRACE --for 7d')
    expect(await alice.run(line)).toMatchObject({ error: 'denied', text: expect.stringContaining('restart') })
    await dcm.must('grant alice restart:on-failure:5')
    await alice.must([
      'create',
      'tool',
      '--image',
      'debian',
      '-m',
      '128m',
      '--cap-add',
      'SYS_PTRACE',
      '--restart',
      'on-failure:2',
      '--',
      'sh',
      '-c',
      'echo ran >> /root/runs; exit 3',
    ])
    const caps = (await alice.ssh('tool', 'grep CapBnd /proc/self/status')).stdout.trim().split(/\s/)[1]!
    expect((BigInt(`0x${caps}`) >> 19n) & 1n).toBe(1n)
    await until(
      'the restarts',
      async () => (await alice.ssh('tool', 'cat /root/runs')).stdout === 'ran\n'.repeat(3),
      30,
    )
    await dcm.must('revoke alice cap:SYS_PTRACE')
    expect((await alice.run(line.replace('tool', 'tool2'))).error).toBe('denied')
    await alice.must('rm -f tool')
  })
})

describe('keys', () => {
  test('a change reaches the containers that run at once, without a restart', async () => {
    const second = await makeKey(folder, 'second')
    const began = (await lookAt(dcm.engine, dcm.instance())).containers.map((one) => one.State.StartedAt).toSorted()
    expect((await alice.ssh('web', 'true', { key: second.key })).code).toBe(255)
    await alice.must(['key', 'add', second.publicKey])
    expect(await alice.ssh('web', 'true', { key: second.key })).toMatchObject({ code: 0 })
    await alice.must(['key', 'rm', 'second@test'])
    expect((await alice.ssh('web', 'true', { key: second.key })).code).toBe(255)
    expect(await alice.ssh('web', 'true')).toMatchObject({ code: 0 })
    expect((await lookAt(dcm.engine, dcm.instance())).containers.map((one) => one.State.StartedAt).toSorted()).toEqual(
      began,
    )
  })
})

describe('a member leaves', () => {
  test('all that was theirs goes, and nothing of the other', async () => {
    await alice.must('commit web keep:v1')
    const preview = await dcm.must<{ containers: string[] }>('user rm alice --images --storage --dry-run')
    expect(preview.data).toMatchObject({ containers: ['web'], images: ['keep:v1'], keys: 1, tokens: 1 })
    expect((await dcm.run('user rm alice --images --storage')).data).toMatchObject({ confirm: true })
    const gone = await dcm.must('user rm alice --images --storage', { yes: true })
    expect(gone.text).toBe('alice is removed with web.')
    const view = await lookAt(dcm.engine, dcm.instance())
    expect(view.containers.map((one) => one.Config.Labels['dcm.owner'])).toHaveLength(1)
    expect(view.networks).toHaveLength(1)
    expect(view.tags).toHaveLength(1)
    expect((await alice.run('ps')).error).toBe('unlinked')
    expect((await bob.ssh('web', 'echo here')).stdout).toBe('here\n')
    expect((await dcm.run('user rm alice', { yes: true })).error).toBe('not_found')
  })

  test('a name that is used again is a new person, who inherits nothing', async () => {
    const again = await dcm.member('alice')
    expect((await again.must<unknown[]>('ps')).data).toEqual([])
    await again.must('create web --image debian -m 128m')
    expect((await again.ssh('web', 'ls -A /storage /root/kept 2>/dev/null | grep -v lost+found')).stdout.trim()).toBe(
      '/storage:',
    )
    expect((await again.must<unknown[]>('grants')).data).toEqual([])
    await dcm.must('user rm alice --images --storage', { yes: true })
    expect((await lookAt(dcm.engine, dcm.instance())).networks).toHaveLength(1)
  })
})

test('all of it is in the audit log, with who, what and how it ended', async () => {
  type Row = {
    actor: string
    as: string | null
    command: string
    target: string | null
    decision: string
    code: string | null
    at: string
    request: string
  }
  const rows = (await dcm.must<Row[]>('audit --limit 1000')).data
  for (const row of rows)
    expect(row).toMatchObject({ at: expect.stringMatching(/^20/), request: expect.stringMatching(/./) })
  expect(rows).toContainEqual(
    expect.objectContaining({ actor: 'alice', command: 'create', target: 'web', decision: 'done' }),
  )
  expect(rows).toContainEqual(
    expect.objectContaining({
      actor: 'bob',
      command: 'inspect',
      target: 'alice/web',
      decision: 'refused',
      code: 'not_found',
    }),
  )
  expect(rows).toContainEqual(
    expect.objectContaining({ actor: 'admin', command: 'user rm', target: 'alice', decision: 'done' }),
  )
})
