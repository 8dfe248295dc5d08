import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Reply } from '../../src/core/reply/reply.ts'
import { type Posted, type Sender, senders } from '../stand-ins/forges.ts'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import { type Member, runProgram } from './support/member.ts'
import { until } from '../setup/until.ts'

const examples = join(import.meta.dirname, '../../examples/ci')
const sha = '6dcb09b5b57875f334f61aebed695e2e4193db5e'
const other = 'a10867b14bb761a232cd80139fbd4c0d33264240'
type Made = { url: string; secret: string; name: string }

let dcm: Dcm
let ada: Member
beforeAll(async () => {
  dcm = await startDcm()
  ada = await dcm.member('ada')
  await dcm.must('quota set ada containers=6 running=6 memory=4g cpus=6 pids=2000 images=6 ports=6'.split(' '))
  await ada.must('create web --image debian -p 80')
  expect(await ada.ssh('web', 'echo one > /etc/release-of-web && echo kept > /storage/kept')).toMatchObject({ code: 0 })
  await ada.must(`commit web web:${sha}`)
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

/** This DCM listens on whatever port was free, at each start another. */
const here = (made: Made): Made => ({ ...made, url: made.url.replace(/^http:\/\/[^/]+/, dcm.url) })
const hook = async (name: string, line: string, ...options: string[]) =>
  here((await ada.must<Made>(['hook', 'new', name, '--do', line, ...options])).data)
const logOf = async (name: string) =>
  (
    await ada.must<{ failures: number; deliveries: { state: string; text: string; key: string }[] }>([
      'hook',
      'log',
      name,
    ])
  ).data
const started = async (name = 'web') => {
  const { data } = await ada.must<{ name: string }>(['inspect', name])
  const all = (await lookAt(dcm.engine, dcm.instance())).containers
  return all.find((one) => one.Config.Labels['dcm.id'] && one.Name.includes(dcm.instance()) && data.name === name)!
    .State.StartedAt
}

/** The shell of a step, as its runner takes it out of the YAML: the block below `run: |` or `- |`. */
async function stepOf(file: string): Promise<string> {
  const lines = (await readFile(join(examples, file), 'utf8')).split('\n')
  const at = lines.findIndex((line) => /^\s*(?:run:|-) \|$/.test(line))
  const indent = /^ */.exec(lines[at + 1]!)![0]
  const block = lines.slice(at + 1).filter((line) => line.startsWith(indent))
  return block.map((line) => line.slice(indent.length)).join('\n')
}

/** Runs a step as its runner does, with the variables that it sets. GitHub docs, "Workflow syntax", `shell: bash`. */
const step = async (file: string, made: Made, vars: Record<string, string>) =>
  runProgram('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', await stepOf(file)], '', {
    PATH: process.env['PATH'],
    DCM_HOOK_URL: made.url,
    DCM_HOOK_SECRET: made.secret,
    ...vars,
  })

const post = async (made: Made, { headers, body }: Posted, query = '?wait=60') => {
  const response = await fetch(made.url + query, { method: 'POST', headers, body })
  return { status: response.status, json: (await response.json()) as Reply }
}

describe('the examples do what they say', () => {
  const github = {
    GITHUB_REF: 'refs/heads/main',
    GITHUB_SHA: sha,
    GITHUB_REPOSITORY: 'octo-org/web',
    GITHUB_RUN_ID: '1658821493',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_NUMBER: '3',
  }

  test('GitHub Actions: a redeploy, once a run, red when there is nothing to deploy', async () => {
    const made = await hook('deploy', 'redeploy web --image web:{sha}', '--if', 'branch=main')
    await ada.ssh('web', 'echo changed > /etc/release-of-web')
    const before = (await ada.must<{ fingerprint: string; ports: unknown }>('inspect web')).data
    const ran = await step('github-actions.yml', made, github)
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(ran.stdout)).toMatchObject({ tone: 'ok', operation: { state: 'done' } })
    expect(await ada.ssh('web', 'cat /etc/release-of-web /storage/kept')).toMatchObject({ stdout: 'one\nkept\n' })
    const after = (await ada.must<{ fingerprint: string; ports: unknown }>('inspect web')).data
    expect([after.fingerprint, after.ports]).toEqual([before.fingerprint, before.ports])

    expect((await step('github-actions.yml', made, github)).code).toBe(0)
    expect((await logOf('deploy')).deliveries).toMatchObject([{ state: 'done', key: '1658821493-1' }])

    const red = await step('github-actions.yml', made, { ...github, GITHUB_SHA: other, GITHUB_RUN_ID: '1658821494' })
    expect(red.code).toBe(22)
    expect(JSON.parse(red.stdout)).toMatchObject({
      error: 'not_found',
      text: expect.stringContaining(`You have no image called web:${other}`) as string,
    })
    const branch = await step('github-actions.yml', made, {
      ...github,
      GITHUB_REF: 'refs/heads/dev',
      GITHUB_RUN_ID: '1658821495',
    })
    expect(JSON.parse(branch.stdout)).toMatchObject({ data: { state: 'ignored' } })
  })

  test('GitLab CI: a job whose log and exit code come back', async () => {
    const made = await hook(
      'tests',
      `run debian --timeout 1m -- sh -c 'echo testing {sha} of {repository}; test {ref} = main'`,
    )
    const vars = { CI_COMMIT_REF_NAME: 'main', CI_COMMIT_SHA: sha, CI_PROJECT_PATH: 'mike/diaspora', CI_JOB_ID: '1' }
    const green = await step('gitlab-ci.yml', made, vars)
    expect(green, green.stdout).toMatchObject({ code: 0 })
    expect(JSON.parse(green.stdout)).toMatchObject({
      code: `testing ${sha} of mike/diaspora`,
      data: { result: { exit_code: 0 } },
    })
    const red = await step('gitlab-ci.yml', made, { ...vars, CI_COMMIT_REF_NAME: 'dev', CI_JOB_ID: '2' })
    expect(red.code).toBe(22)
    expect(JSON.parse(red.stdout)).toMatchObject({
      error: 'conflict',
      text: 'sh in debian:latest ended with exit code 1.',
    })
    expect((await lookAt(dcm.engine, dcm.instance())).containers).toHaveLength(1)
  })

  test('Gitea and Forgejo Actions: a preview is removed', async () => {
    await ada.must('create preview --image debian')
    const made = await hook('cleanup', 'rm -f preview')
    const ran = await step('gitea-actions.yml', made, github)
    expect(JSON.parse(ran.stdout)).toMatchObject({ text: expect.stringContaining('preview is removed') as string })
    expect(await ada.run('inspect preview')).toMatchObject({ error: 'not_found' })
  })

  test("plain shell: signed on the sender's machine, once for one delivery, red when it fails", async () => {
    const made = await hook('shell', 'commit web web:{ref} -m "by {repository}"', '--verify', 'standard')
    const deliver = (vars: Record<string, string>, secret = made.secret) =>
      runProgram(join(examples, 'deliver.sh'), [], '', {
        PATH: process.env['PATH'],
        DCM_PAUSE: '0',
        DCM_HOOK_URL: made.url,
        DCM_HOOK_SECRET: secret,
        DCM_DELIVERY: 'one',
        DCM_REF: 'v1',
        DCM_REPOSITORY: 'o/r',
        ...vars,
      })
    for (const _ of [1, 2])
      expect(await deliver({})).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Saved web as web:v1') as string,
      })
    expect((await logOf('shell')).deliveries).toHaveLength(1)
    expect(await deliver({ DCM_DELIVERY: 'two', DCM_REF: '' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('says no ref') as string,
    })
    const forged = await deliver({ DCM_DELIVERY: 'three' }, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    expect(forged).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no such hook') as string })
    await until('the failure to be counted', async () => (await logOf('shell')).failures === 1)
  })
})

describe('webhooks of the platforms themselves', () => {
  test.each([
    'github',
    'github, as a form',
    'gitlab',
    'gitlab, signed',
    'gitea',
    'gitea, forgejo',
    'standard',
  ] as Sender[])('%s', async (sender) => {
    const name = `w-${sender.replace(/\W+/g, '-')}`
    const made = await hook(name, 'restart web -t 1', '--verify', sender.split(',')[0]!)
    const before = await started()
    const posted = senders[sender](made.secret, { delivery: 'guid' })
    expect(await post(made, posted)).toMatchObject({ status: 200, json: { text: 'web was restarted.' } })
    const after = await started()
    expect(after).not.toBe(before)
    expect(await post(made, posted)).toMatchObject({ status: 200, json: { text: 'web was restarted.' } })
    expect(await started()).toBe(after)
    expect((await post(made, { ...posted, body: `${posted.body} ` })).status).toBe(sender === 'gitlab' ? 200 : 401)
  })
})

test('a redeploy that does not come up is told as failed, and the old one is back', async () => {
  const made = await hook('bad', 'recreate web --yes -t 1 -- sh -c "exit 3"')
  const before = await ada.ssh('web', 'cat /etc/release-of-web')
  const said = await post(made, senders.token(made.secret, { delivery: 'bad' }))
  expect(said).toMatchObject({
    status: 409,
    json: {
      error: 'conflict',
      text: expect.stringMatching(/exit code 3.*The one before is put back\.$/) as string,
      operation: { state: 'failed' },
    },
  })
  expect(await ada.ssh('web', 'cat /etc/release-of-web')).toEqual(before)
  expect((await lookAt(dcm.engine, dcm.instance())).containers).toHaveLength(1)
})

test('a health that is asked over HTTP decides', async () => {
  await ada.must('create site --image debian -p 8000')
  const serve =
    'my $s = IO::Socket::INET->new(Listen => 5, LocalPort => 8000, ReuseAddr => 1) or die; while (my $c = $s->accept) { my $l = <$c>; print $c "HTTP/1.0 200 OK\r\n\r\nhello"; close $c }'
  const good = await ada.run([
    'recreate',
    'site',
    '--yes',
    '-t',
    '1',
    '--health',
    '8000/',
    '--',
    'perl',
    '-MIO::Socket::INET',
    '-e',
    serve,
  ])
  expect(good, good.text).toMatchObject({ tone: 'ok' })
  await ada.must('rm -f site')
})

test('K09 kill -9 after a delivery was accepted: the next start carries it out, once', async () => {
  const made = await hook('cut', 'restart web -t 1')
  const before = await started()
  const posted = senders.token(made.secret, { delivery: 'cut' })
  expect((await post(made, posted, '?wait=0')).status).toBe(202)
  await dcm.kill9()
  await dcm.restart()
  expect(await post(here(made), posted)).toMatchObject({ status: 200, json: { text: 'web was restarted.' } })
  const after = await started()
  expect(after).not.toBe(before)
  expect((await logOf('cut')).deliveries).toMatchObject([{ state: 'done', key: 'cut' }])
  expect(await started()).toBe(after)
})
