import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../setup/engine.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import type { Member } from './support/member.ts'

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
  const late = await build('FROM debian\nRUN sleep 60', '--timeout', '2s')
  expect([late.code, late.stderr]).toEqual([6, expect.stringContaining('It took longer than 2s')])
  expect((await alice.must<unknown[]>('images')).data).toHaveLength(before)
  expect((await alice.must<{ name: string }[]>('ps')).data.filter(({ name }) => name.startsWith('build-'))).toEqual([])
})

test('K02 killed while it builds, it begins anew at the next start and ends once', async () => {
  const begun = await alice.run<unknown>(
    ['build', 'again:v1', 'FROM debian\nRUN test ! -e /once && touch /once && sleep 3'],
    { wait: 0 },
  )
  await expect
    .poll(async () => (await dcm.http(`/v1/operations/${begun.operation!.id}`, { token: alice.token })).text, {
      timeout: 20_000,
    })
    .toContain('1/1')
  await dcm.kill9()
  await dcm.restart()
  expect((await dcm.http(`/v1/operations/${begun.operation!.id}?wait=60`, { token: alice.token })).text).toContain(
    '"state":"done"',
  )
  const images = (await alice.must<{ image: string }[]>('images')).data.map((one) => one.image)
  expect(images.filter((ref) => ref === 'again:v1')).toHaveLength(1)
  expect((await alice.must<{ name: string }[]>('ps')).data.filter(({ name }) => name.startsWith('build-'))).toEqual([])
})
