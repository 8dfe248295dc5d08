import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { type Member, runProgram } from './support/member.ts'
import { reachDoor } from './support/openssh.ts'
import { until } from '../setup/until.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcm-files-'))
  dcm = await startDcm({ database: 'embedded' })
  alice = await dcm.member('alice')
  await alice.must('create web --image debian')
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The `dcm` command, as alice uses it from her own machine. */
const cli = (words: string[], input?: string) =>
  dcm.cli(words, { env: { DCM_URL: dcm.url, DCM_TOKEN: alice.token }, ...(input === undefined ? {} : { input }) })
const inside = async (command: string) => (await alice.ssh('web', command)).stdout

test('a folder goes in and comes out as it was, by a real tar', async () => {
  const site = join(folder, 'site')
  await mkdir(join(site, 'sub'), { recursive: true })
  await writeFile(join(site, 'big'), Buffer.alloc(3_000_000, 'dcm'))
  await writeFile(join(site, 'sub', 'run'), '#!/bin/sh\n', { mode: 0o755 })
  await symlink('sub/run', join(site, 'link'))
  expect(await cli(['cp', site, 'web:/srv'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Copied 2\.9m to \/srv of web\.\n$/) as string,
  })
  expect(await inside('cd /srv/site && stat -c "%n %U %A" * sub/run && cksum <big')).toBe(
    `big root -rw-r--r--\nlink root lrwxrwxrwx\nsub root drwxr-xr-x\nsub/run root -rwxr-xr-x\n${execFileSync('cksum', { input: await readFile(join(site, 'big')) }).toString()}`,
  )
  const out = await cli(['cp', 'web:/srv/site', join(folder, 'back')])
  expect(out, out.stderr).toMatchObject({ code: 0 })
  expect((await readdir(join(folder, 'back'), { recursive: true })).toSorted()).toEqual([
    'big',
    'link',
    'sub',
    'sub/run',
  ])
  expect(await readFile(join(folder, 'back', 'big'))).toEqual(await readFile(join(site, 'big')))
  expect(await readlink(join(folder, 'back', 'link'))).toBe('sub/run')
  // Again: what is there already is not written over.
  expect(await cli(['cp', 'web:/srv/site', join(folder, 'back')])).toMatchObject({ code: 0 })
  expect(await cli(['cp', 'web:/srv/site', join(folder, 'back')])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('back/site is already there') as string,
  })
})

test('a tar goes through pipes; a file takes another name; what is not there is said', async () => {
  await alice.ssh('web', 'mkdir -p /srv/in; cd /srv/in; echo one >a; ln -s /etc/passwd out')
  expect((await dcm.cli(['cp', '--as', 'alice', 'web:/srv/in/.', '-'])).stdout).toContain('one')
  const { code, stdout } = await cli(['cp', 'web:/srv/in', '-'])
  expect(code).toBe(0)
  expect(execFileSync('tar', ['-tf', '-'], { input: stdout }).toString().split('\n').toSorted()).toEqual([
    '',
    'in/',
    'in/a',
    'in/out',
  ])
  await writeFile(join(folder, 'config'), 'x')
  expect(await cli(['cp', join(folder, 'config'), 'web:/srv/in/b'])).toMatchObject({ code: 0 })
  expect(await inside('ls /srv/in')).toBe('a\nb\nout\n')
  expect(await cli(['cp', join(folder, 'config'), 'web:/none/x'])).toMatchObject({ code: 4 })
  expect(await cli(['cp', 'web:/none', folder])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('There is no /none in web.') as string,
  })
  // A link that leads out of the copy is not made on alice's machine.
  const out = await cli(['cp', 'web:/srv/in', join(folder, 'in')])
  expect(out).toMatchObject({ code: 1, stderr: expect.stringContaining('Left out: in/out') as string })
  expect((await readdir(join(folder, 'in'))).toSorted()).toEqual(['a', 'b'])
})

test('a tar goes in and out through ssh alone', async () => {
  const door = await reachDoor(dcm)
  const ssh = ['ssh', ...door.options(alice.key), '-p', door.port, 'alice@127.0.0.1', 'cp']
  const big = await readFile(join(folder, 'site', 'big'))
  const sent = await runProgram('sh', ['-c', 'tar -C "$0" -c site | "$@"', folder, ...ssh, '-', 'web:/opt'])
  expect(sent, sent.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(' to /opt of web.') as string })
  expect(await inside('cd /opt/site && cksum <big')).toBe(execFileSync('cksum', { input: big }).toString())
  const got = await runProgram('sh', ['-c', '"$@" | tar -xO site/big | cksum', '-', ...ssh, 'web:/opt/site', '-'])
  expect(got.stdout).toBe(execFileSync('cksum', { input: big }).toString())
})

/** Begins an upload and sends some of it. */
function upload(path: string) {
  const query = new URLSearchParams({ source: '-', target: path, name: 'a' })
  const url = new URL(`/v1/cp?${query.toString()}`, dcm.url)
  const outgoing = request(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${alice.token}`, 'content-type': 'application/x-tar' },
  })
  outgoing.on('error', () => undefined)
  return outgoing
}

test('an upload that breaks off leaves nothing, neither the tar nor its files, and the service has not grown', async () => {
  const tar = execFileSync('sh', ['-c', `cd ${folder} && head -c 20000000 /dev/zero >a && tar -cf - a`], {
    maxBuffer: 1e8,
  })
  const outgoing = upload('web:/srv/new')
  outgoing.write(tar.subarray(0, 10_000_000))
  await until('tar to begin', async () => (await inside('pgrep -c tar; ls -a /srv')).includes('.dcm-'))
  outgoing.destroy()
  await until('tar to be gone', async () => (await inside('pgrep -x tar; ls -A /srv')) === 'in\nsite\n', 30)
})

test("a file for the inbox makes it, and is root's there", async () => {
  const tar = execFileSync('tar', ['-C', folder, '-cf', '-', '--owner=1234', 'config'])
  const url = new URL('/v1/inbox?name=config', dcm.url)
  const headers = { authorization: `Bearer ${alice.token}`, 'content-type': 'application/x-tar' }
  const answer = await fetch(url, { method: 'POST', headers, body: new Uint8Array(tar) })
  expect(await answer.json()).toMatchObject({ data: { container: 'web', path: '/storage/inbox/config' } })
  expect(await inside('stat -c "%n %U" /storage/inbox/*')).toBe('/storage/inbox/config root\n')
})

test('stopped, without tar, and with a full disk it is refused in a sentence', async () => {
  await dcm.must('quota set alice disk=64m')
  await alice.ssh('web', 'head -c 66000000 /dev/urandom >/storage/fill')
  const full = await cli(['cp', folder, 'web:/srv'])
  expect(full).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(
      /^There is room for .* more, and that is larger: remove files|of 64m of disk are used: remove files/,
    ) as string,
  })
  await alice.ssh('web', 'rm /storage/fill; mv /bin/tar /bin/tar.away || mv /usr/bin/tar /usr/bin/tar.away')
  await dcm.must('quota set alice disk=10g')
  expect((await cli(['cp', 'web:/etc/hosts', join(folder, 'hosts')])).stderr).toContain(
    'web has no tar, which cp needs',
  )
  await alice.must('stop web')
  expect(await cli(['cp', 'web:/etc/hosts', join(folder, 'hosts')])).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('web is not running, so nothing can be copied.') as string,
  })
})
