import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Header, pack as begin } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../setup/engine.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { gitServer } from './support/git.ts'
import { type Member, runProgram } from './support/member.ts'
import { reachDoor } from './support/openssh.ts'
import { until } from '../setup/until.ts'

let [dcm, alice, folder]: [Dcm, Member, string] = [] as never
beforeAll(async () => {
  ;[dcm, folder] = await Promise.all([startDcm(), mkdtemp(join(tmpdir(), 'dcm-build-'))])
  alice = await dcm.member('alice')
  await alice.must('create web --image debian')
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** As a member types it: the Dockerfile is a file of theirs. */
const build = async (dockerfile: string, ...more: string[]) => {
  const file = join(folder, 'Dockerfile')
  await writeFile(file, dockerfile)
  return dcm.cli(['build', 'app:v1', `@${file}`, ...more], { env: { DCM_URL: dcm.url, DCM_TOKEN: alice.token } })
}
type Config = {
  Config: {
    Entrypoint: string[]
    Cmd: string[]
    Env: string[]
    User: string
    WorkingDir: string
    ExposedPorts: object
    Labels: Record<string, string>
  }
}

test('a Dockerfile and a folder of /storage become an image whose containers run', async () => {
  await alice.ssh(
    'web',
    'mkdir -p /storage/app/static && cd /storage/app && echo hello >static/index.html && echo top >a.txt && ln -s /etc/shadow link',
  )
  const built = await build(
    `FROM debian
ARG GREETING=none
ENV MODE=test SAID="$GREETING world"
WORKDIR /srv/app
COPY --chown=nobody:nogroup static /srv/app/static
COPY a.txt link ./
RUN useradd -m app && id -u app >/srv/uid
USER app
RUN whoami >/tmp/who && pwd >>/tmp/who && echo $SAID >>/tmp/who
EXPOSE 8080
LABEL org.opencontainers.image.description="An app of a test."
ENTRYPOINT ["/bin/cat"]
CMD ["/tmp/who"]
`,
    '--context',
    'app',
    '--build-arg',
    'GREETING=hello',
  )
  expect(built, built.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Built app:v1, ') })
  await alice.must('create app --image app:v1')
  const seen = await alice.ssh(
    'app',
    'cat /tmp/who /srv/app/static/index.html /srv/app/a.txt; stat -c %U /srv/app/static/index.html /srv/app/a.txt; readlink /srv/app/link; echo $MODE',
  )
  expect(seen.stdout).toBe('app\n/srv/app\nhello world\nhello\ntop\nnobody\nroot\n/etc/shadow\ntest\n')
  expect((await alice.must('image show app:v1')).data).toMatchObject({
    ...{ user: 'app', workdir: '/srv/app', ports: ['8080/tcp'], entrypoint: ['/bin/cat'], command: ['/tmp/who'] },
    ...{ help: 'An app of a test.', base: 'debian:latest' },
  })
  const images = await ask<{ RepoTags: string[] | null }[]>(dcm.engine, 'GET', '/images/json')
  const tags = images.flatMap((one) => one.RepoTags ?? []).filter((tag) => tag.startsWith(`dcm/${dcm.instance()}/`))
  const all = await Promise.all(tags.map((tag) => ask<Config>(dcm.engine, 'GET', `/images/${tag}/json`)))
  const { Config } = all.find((one) => one.Config.WorkingDir === '/srv/app')!
  expect(Config.Env).toEqual(expect.arrayContaining(['MODE=test', 'SAID=hello world']))
  expect(Config.Env.filter((entry) => /^GREETING|^DCM=./.test(entry))).toEqual([])
  expect(Object.entries(Config.Labels).filter(([name, value]) => name.startsWith('dcm.') && value !== '')).toEqual([])
  expect((await alice.must<unknown[]>('ps')).data).toHaveLength(2)
})

test('what one stage makes the next one takes, and nothing of it stays in between', async () => {
  const built = await build(`FROM debian AS make
WORKDIR /out
RUN echo one >one.txt && mkdir -p tree/.hidden && echo two >tree/.hidden/two && echo three >three.so && chmod 755 one.txt
FROM debian
COPY --from=make /out/one.txt /srv/first
COPY --from=make --chown=nobody /out/tree /srv/tree
COPY --from=0 /out/*.so /srv/lib/
RUN test ! -e /out && ls -A /storage >/srv/storage
`)
  expect(built.code, built.stderr).toBe(0)
  await alice.must('create staged --image app:v1')
  const seen = await alice.ssh(
    'staged',
    'cat /srv/first /srv/tree/.hidden/two /srv/lib/three.so; stat -c "%a %U" /srv/first /srv/tree/.hidden; ls -A /storage',
  )
  expect(seen.stdout).toBe('one\ntwo\nthree\n755 root\n755 nobody\napp\n')
  const failed = await build('FROM debian AS a\nFROM debian\nCOPY --from=a /nothing /x')
  expect([failed.code, failed.stderr]).toEqual([5, expect.stringContaining('/nothing is not in that stage')])
  expect((await alice.ssh('staged', 'ls -A /storage')).stdout).toBe('app\n')
  await alice.must('rm -f staged')
})

test('P01 what runs while it builds is held as any container: capabilities, new privileges, processes, network', async () => {
  const built = await build(
    `FROM debian
RUN grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
RUN cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || :
RUN (mount -t tmpfs x /mnt || mknod /tmp/d b 8 0 || echo 1 >/proc/sys/kernel/core_pattern) 2>/dev/null && echo broke || echo held
RUN cat /proc/net/route
`,
    '--pids-limit',
    '50',
    '--json',
  )
  expect(built.code, built.stderr).toBe(0)
  const { output } = (JSON.parse(built.stdout) as { data: { output: string } }).data
  const inside = (await alice.ssh('web', "grep -E '^CapBnd:' /proc/self/status")).stdout.trim()
  expect(output).toContain(inside)
  expect(output).toMatch(/NoNewPrivs:\s+1\nSeccomp:\s+2/)
  expect(output).toMatch(/\n50\n/)
  expect(output).toContain('held\n')
  // The member's own network, which the firewall keeps apart; see test/host/isolation.test.ts.
  expect(output).toContain((await alice.ssh('web', 'cat /proc/net/route')).stdout)
})

test('a line that fails is told, one that takes too long is ended, and nothing of either stays', async () => {
  const before = (await alice.must<unknown[]>('images')).data.length
  const failed = await build('FROM debian\nRUN echo almost; exit 7')
  expect([failed.code, failed.stderr]).toEqual([
    5,
    expect.stringContaining('Line 2 (RUN echo almost; exit 7) ended with exit code 7. It said: almost'),
  ])
  const late = await build(
    'FROM debian AS a\nRUN echo x >/x\nFROM debian\nCOPY --from=a /x /x\nRUN sleep 60',
    '--timeout',
    '3s',
  )
  expect([late.code, late.stderr]).toEqual([6, expect.stringContaining('It took longer than 3s')])
  expect((await alice.must<unknown[]>('images')).data).toHaveLength(before)
  expect(await left()).toEqual(nothing)
})

/** What a build leaves while it goes on. */
const left = async () => {
  const running = (await alice.must<{ name: string }[]>('ps')).data.map(({ name }) => name)
  const storages = join(dcm.dataDir, 'storage')
  const folders = await Promise.all(
    (await readdir(storages)).map((owner) => readdir(join(storages, owner, 'volumes')).catch(() => [])),
  )
  return { builds: running.filter((name) => name.startsWith('build-')), folders: folders.flat() }
}
const nothing = { builds: [], folders: [] }

/** A tar of these entries, as anybody may make one. */
function tarOf(...entries: (Partial<Header> & { name: string; text?: string })[]): Promise<Buffer> {
  const tar = begin()
  for (const { text, ...header } of entries) tar.entry(header, text ?? '')
  tar.finalize()
  return buffer(tar as unknown as Readable)
}
const send = async (tar: Buffer, query = '&wait=200') => {
  const answer = await fetch(new URL(`/v1/build?image=app:v1&dockerfile=-${query}`, dcm.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${alice.token}`, 'content-type': 'application/x-tar' },
    body: new Uint8Array(tar),
  })
  return (await answer.json()) as {
    text: string
    error?: string
    data: { output: string }
    operation?: { id: string }
  }
}

test('a folder of one\u2019s own is sent and built: by the dcm command, as a tar through ssh, and over HTTP', async () => {
  const app = join(folder, 'app')
  await mkdir(join(app, 'node_modules'), { recursive: true })
  await writeFile(
    join(app, 'Dockerfile'),
    'FROM debian\nARG KEY\nCOPY . /srv\nRUN cd /srv; ls -A; ls -A /storage/;  echo $KEY; touch /run/dcm/volumes/0/x 2>/dev/null || echo held\n',
  )
  await writeFile(join(app, '.dockerignore'), 'node_modules\n.dockerignore\n')
  await symlink('/etc/shadow', join(app, 'link'))
  const env = { DCM_URL: dcm.url, DCM_TOKEN: alice.token }
  const built = await dcm.cli(['build', '-t', 'app:v1', app, '--build-arg', 'KEY=h\u00fcsh'], { env })
  expect(built, built.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Built app:v1, ') as string })
  expect(built.stdout).toContain('\nDockerfile\nlink\nh\u00fcsh\nheld\n')

  const door = await reachDoor(dcm)
  const ssh = ['ssh', ...door.options(alice.key), '-p', door.port, 'alice@127.0.0.1', 'build', 'app:v1', '-']
  const piped = await runProgram('sh', ['-c', 'tar -C "$0" -c . | "$@"', app, ...ssh])
  expect(piped, piped.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('\nnode_modules\n') as string })

  const plain = { name: 'made/Dockerfile.dev', text: 'FROM debian\nCOPY a b /srv/\nRUN cat /srv/a /srv/b\n' }
  const files = [plain, { name: 'a', text: 'one\n' }, { name: '/b', text: 'two\n' }]
  const sent = await send(await tarOf(...files), '&file=made/Dockerfile.dev&wait=200')
  expect(sent.error, sent.text).toBeUndefined()
  expect(sent.data.output).toContain('one\ntwo\n')

  // Its folder is in no other container, and neither it nor what leads to it is in the image.
  await alice.must('create sent --image app:v1')
  expect((await alice.ssh('sent', 'ls -A / /storage; ls -A /run/dcm/volumes')).stdout).not.toMatch(/dcm-|^0$/m)
  await alice.must('rm -f sent')
  expect(await left()).toEqual(nothing)
})

test('P01 a tar that reaches for more than its folder reaches nothing', async () => {
  const recipe = { name: 'Dockerfile', text: 'FROM debian\nRUN true\n' }
  for (const [says, ...entries] of [
    ['tar ended with code', recipe, { name: '../evil', text: 'x' }],
    [
      'tar ended with code',
      recipe,
      { name: 'l', type: 'symlink', linkname: '/storage' },
      { name: 'l/evil', text: 'x' },
    ],
    ['no plain file Dockerfile', { name: 'Dockerfile', type: 'symlink', linkname: '/etc/passwd' }],
    ['no plain file Dockerfile', { name: 'Dockerfile', type: 'fifo' }],
    ['tar ended with code', { name: 'Dockerfile', type: 'character-device', devmajor: 1, devminor: 5 }],
  ] as [string, ...Parameters<typeof tarOf>][]) {
    const { text, error } = await send(await tarOf(...entries))
    expect([error !== undefined, text], text).toEqual([true, expect.stringContaining(says)])
  }
  expect((await alice.ssh('web', 'ls -A /storage')).stdout).not.toContain('evil')
  expect(await left()).toEqual(nothing)
})

test('a repository is fetched and built where its member\u2019s network leads, and nowhere else', async () => {
  await alice.ssh('web', 'cat >/srv/serve.pl', { input: gitServer })
  await alice.ssh(
    'web',
    `set -e; mkdir -p /srv/repo/server; cd /srv/repo; git init -q -b main
printf 'FROM debian\nCOPY . /srv/out\nRUN ls -A /srv/out; cat /srv/out/a\n' >server/Dockerfile; echo hello >server/a; ln -s /etc/shadow top
git add .; git -c user.name=a -c user.email=a@b commit -qm x; git clone -q --bare . /srv/git/app.git
setsid perl /srv/serve.pl >/dev/null 2>&1 </dev/null &
until git ls-remote http://localhost:8080/app.git >/dev/null 2>&1; do sleep 0.1; done`,
  )
  const built = await alice.must<{ output: string }>('build app:v1 http://web:8080/app.git#main:server')
  expect(built.data.output).toContain('Dockerfile\na\nhello\n')
  for (const [what, says] of [
    ['http://web:8080/app.git#none', "couldn't find remote ref none"],
    ['http://web:8080/app.git#main:nowhere', 'There is no folder nowhere in the repository.'],
    // The service's own port: in a container, localhost is that container.
    [`${dcm.url}/x.git`, 'Failed to connect'],
  ])
    expect((await alice.run(['build', 'app:v1', what!])).text, what).toContain(says)
  expect(await left()).toEqual(nothing)
})

test('K02 killed while it builds, it begins anew at the next start and ends once; what was still being sent is undone', async () => {
  const recipe = 'FROM debian\nCOPY a /srv/\nRUN test ! -e /once && touch /once && cat /srv/a && sleep 3'
  const tar = await tarOf({ name: 'Dockerfile', text: recipe }, { name: 'a', text: 'kept\n' })
  const sending = request(new URL('/v1/build?image=never:v1&dockerfile=-', dcm.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${alice.token}`, 'content-type': 'application/x-tar' },
  })
  sending.on('error', () => undefined)
  sending.write(tar)
  await until('the upload to have begun', async () => (await left()).folders.length > 0)
  const { id } = (await send(tar, '&wait=0')).operation!
  const asked = async (wait = 0) => (await dcm.http(`/v1/operations/${id}?wait=${wait}`, { token: alice.token })).text
  await until('it to run', async () => (await asked()).includes('2/2'))
  await dcm.kill9()
  await dcm.restart()
  const ended = await asked(60)
  expect(ended).toContain('"state":"done"')
  expect(ended).toContain('kept')
  const images = (await alice.must<{ image: string }[]>('images')).data.map((one) => one.image)
  expect(images.filter((ref) => ref === 'app:v1')).toHaveLength(1)
  expect(images).not.toContain('never:v1')
  await until('all of it to be gone', async () => JSON.stringify(await left()) === JSON.stringify(nothing))
})
