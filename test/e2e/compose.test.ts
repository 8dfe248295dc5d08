import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import type { Member } from './support/member.ts'
import { until } from '../setup/until.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcm-compose-'))
  dcm = await startDcm()
  alice = await dcm.member('alice')
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** One writes a word; another waits until that is done, speaks to it by its alias, and reads the word in their volume; a third is apart from the first. */
const file = `
name: talk
x-small: &small { image: debian, mem_limit: 96m, cpus: 0.5 }
services:
  server:
    <<: *small
    environment: { WORD: "\${WORD}" }
    command: sh -c 'sleep 1; echo "$$WORD" >/srv/data/word; exec sleep 600'
    volumes: [data:/srv/data]
    healthcheck: { test: test -s /srv/data/word, interval: 1s, retries: 20 }
    networks: { inner: { aliases: [words] } }
    secrets: [{ source: pass, target: server.pass }]
  client:
    <<: *small
    command: bash -c 'read -r line </dev/tcp/words/22 && echo "server says $$line" && cat /srv/in/word; exec sleep 600'
    volumes: [data:/srv/in:ro]
    depends_on: { server: { condition: service_healthy } }
    networks: [default, inner]
  aside:
    <<: *small
volumes: { data: }
networks: { inner: }
secrets: { pass: { environment: WORD } }
`
const cli = (words: string[]) => dcm.cli(words, { env: { DCM_URL: dcm.url, DCM_TOKEN: alice.token } })
const state = async () =>
  (await alice.must<{ service: string; state: string }[]>('compose ps talk')).data.map(
    (one) => `${one.service} ${one.state}`,
  )

test('a composition comes up from the command line; its services find each other and share a volume', async () => {
  const path = join(folder, 'compose.yaml')
  await writeFile(path, file)
  const up = await cli(['compose', 'up', `@${path}`, '-e', 'WORD=hello'])
  expect(up, up.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('talk is up: 3 services.') as string })
  expect(await state()).toEqual(['aside running', 'client running', 'server running'])
  const logs = await until('the client to have read', async () => {
    const { code } = await alice.must('compose logs talk client')
    return code?.includes('hello') ? code : undefined
  })
  expect(logs).toMatch(/^client \| server says SSH-2\.0-/m)
  expect((await alice.ssh('talk-client', 'getent hosts talk-server && touch /srv/in/x')).code).not.toBe(0)
  const { containers } = await lookAt(dcm.engine, dcm.instance())
  expect(containers).toHaveLength(3)
  expect((await alice.ssh('talk-server', 'cat /run/secrets/*')).stdout).toBe('hello')
  expect((await alice.must<{ name: string }[]>('volume ls')).data).toMatchObject([{ name: 'talk-data' }])
})

test('services reach those that they share a network with, by name and address, and no others', async () => {
  const reaches = async (from: string, to: string) =>
    (await alice.ssh(`talk-${from}`, `nc -z -w 2 ${to} 22 && echo yes || echo no`)).stdout.trim()
  const address = (await alice.ssh('talk-server', 'hostname -i')).stdout.trim()
  expect(address).toMatch(/^10\.[\d.]+$/)
  const near = [
    ['client', 'server'],
    ['client', 'aside'],
    ['aside', 'client'],
  ] as const
  for (const [from, to] of near) expect(await reaches(from, to), `${from} to ${to}`).toBe('yes')
  for (const to of ['server', 'words', 'talk-server', address]) expect(await reaches('aside', to), to).toBe('no')
  expect((await alice.must<{ name: string }[]>('network ls')).data).toMatchObject([
    { name: 'talk-inner', containers: ['talk-client', 'talk-server'] },
  ])
})

test('up again changes only what differs, over HTTP', async () => {
  const again = await dcm.http('/v1/compose/up', {
    method: 'POST',
    token: alice.token,
    body: { file: file.replace('96m', '80m'), env: ['WORD=other'], wait: 120 },
  })
  expect(JSON.parse(again.text)).toMatchObject({
    text: 'talk is up: 3 services.',
    data: {
      services: [
        { service: 'server', done: 'made anew' },
        { service: 'client', done: 'other limits' },
        { service: 'aside', done: 'other limits' },
      ],
    },
  })
  await until('the new word', async () => (await alice.ssh('talk-client', 'cat /srv/in/word')).stdout === 'other\n')
})

test('what cannot be had is refused with its lines, and nothing is done', async () => {
  const path = join(folder, 'bad.yaml')
  await writeFile(path, 'services:\n  web:\n    image: debian\n    privileged: true\n    volumes:\n      - /:/host\n')
  const bad = await cli(['compose', 'up', `@${path}`, '-p', 'bad'])
  expect(bad.code).toBe(2)
  expect(bad.stderr).toMatch(/4:5 +services\.web\.privileged +No container has the host/)
  expect(bad.stderr).toMatch(/6:9 +services\.web\.volumes\.0 +A folder of the host is not had/)
  expect((await alice.must<unknown[]>('ps')).data).toHaveLength(3)
})

test('stop and down leave nothing behind, in Docker neither', async () => {
  await alice.must('compose stop talk')
  expect(await state()).toEqual(['aside exited', 'client exited', 'server exited'])
  await alice.must('compose down talk --volumes --yes')
  expect((await lookAt(dcm.engine, dcm.instance())).containers).toEqual([])
  expect((await alice.must('volume ls')).data).toEqual([])
  expect((await lookAt(dcm.engine, dcm.instance())).networks).toHaveLength(1)
})
