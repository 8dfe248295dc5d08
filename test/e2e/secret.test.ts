import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import { type Member, runProgram } from './support/member.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
beforeAll(async () => {
  dcm = await startDcm()
  alice = await dcm.member('alice')
  await alice.must('create web --image debian')
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

test('a secret from standard input is a file inside at once, after a restart, and in no image or inspect', async () => {
  const set = await dcm.cli(['secret', 'set', 'web', 'DB_PASSWORD', '-'], {
    input: 'correct horse\n',
    env: { DCM_URL: dcm.url, DCM_TOKEN: alice.token },
  })
  expect(set).toMatchObject({ code: 0, stdout: expect.stringContaining('web finds DB_PASSWORD in /run/secrets now.') })
  const read =
    'cat /run/secrets/DB_PASSWORD; su nobody -s /bin/sh -c "cat /run/secrets/DB_PASSWORD" | wc -c; echo x >/run/secrets/x || echo refused'
  expect((await alice.ssh('web', `${read} 2>/dev/null`)).stdout).toBe('correct horse13\nrefused\n')
  await alice.must('restart web')
  expect((await alice.ssh('web', 'cat /run/secrets/DB_PASSWORD')).stdout).toBe('correct horse')
  await alice.must('commit web web:v1')
  expect(JSON.stringify(await lookAt(dcm.engine, dcm.instance()))).not.toContain('horse')
  await alice.must('create other --image web:v1')
  expect((await alice.ssh('other', 'ls /run/secrets; cat /run/dcm/secrets/*')).stdout).toBe('')
  expect(await dcm.logs()).not.toContain('horse')
  await alice.must('secret rm web DB_PASSWORD')
  expect((await alice.ssh('web', 'ls /run/secrets')).stdout).toBe('')
})

test('export is a tar of the file system, without secrets and storage', async () => {
  await alice.ssh('web', 'echo kept >/root/file; echo mine >/storage/own')
  await dcm.cli(['secret', 'set', 'web', 'TOKEN', '-'], {
    input: 'sesame',
    env: { DCM_URL: dcm.url, DCM_TOKEN: alice.token },
  })
  const folder = await mkdtemp(join(tmpdir(), 'dcm-export-'))
  try {
    const file = join(folder, 'web.tar')
    const ran = await dcm.cli(['export', 'web', '-o', file], { env: { DCM_URL: dcm.url, DCM_TOKEN: alice.token } })
    expect(ran.code, ran.stderr).toBe(0)
    const list = (await runProgram('tar', ['-tf', file])).stdout.split('\n')
    expect(list).toContain('root/file')
    expect(list.filter((path) => /^(storage|run\/dcm)\/./.test(path))).toEqual([])
    expect((await runProgram('tar', ['-xOf', file, 'root/file'])).stdout).toBe('kept\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
