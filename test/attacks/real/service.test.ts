import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedSocket } from '../../setup/engine.ts'
import { type Dcm, startDcm } from '../../e2e/support/dcm.ts'
import { lookAt } from '../../e2e/support/engine.ts'
import { kept } from '../../e2e/support/images.ts'
import { type Member, runProgram } from '../../e2e/support/member.ts'

/** Nobody's numbers: a service's user that has nothing but the group of the engine's socket. */
const uid = 64_123

let [dcm, alice, home]: [Dcm, Member, string] = [] as never
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dcm-service-'))
  await chmod(home, 0o711)
  const dataDir = join(home, 'data')
  await mkdir(dataDir)
  await chown(dataDir, uid, uid)
  const { gid } = await stat(sharedSocket)
  const enter = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, `--groups=${gid}`, '--inh-caps=-all', '--']
  dcm = await startDcm({ dataDir, enter, client: [], offers: { from: kept }, env: { HOME: home } })
  alice = await dcm.member('alice')
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

test('a DCM that is not root: create, ssh, storage, commit, key change, rm, and what it cannot promise is said', async () => {
  expect((await readFile(`/proc/${dcm.pid()}/status`, 'utf8')).match(/^Uid:\s+(\d+)/m)?.[1]).toBe(String(uid))
  await alice.must('create web --image debian -m 256m -p 8080')
  expect(
    (
      await alice.ssh(
        'web',
        'id -u; echo mine > /storage/note; chown 1000 /storage/note; mkdir -p /storage/deep/er; chmod 0 /storage/deep; cat /storage/note',
      )
    ).stdout,
  ).toBe('0\nmine\n')
  const nobody = await runProgram('setpriv', [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    'ls',
    join(dcm.dataDir, 'storage'),
  ])
  expect(nobody.code).not.toBe(0)

  await alice.must('commit web web:v1')
  await alice.must('create copy --image web:v1 -m 128m')
  expect((await alice.ssh('copy', 'cat /storage/note')).stdout).toBe('mine\n')
  await alice.must(['key', 'rm', 'alice@test'], { yes: true })
  expect((await alice.ssh('copy', 'true')).code).toBe(255)
  await alice.must(['key', 'add', alice.publicKey])
  expect((await alice.ssh('copy', 'true')).code).toBe(0)
  await alice.must('restart web -t 1')
  expect((await alice.ssh('web', 'cat /storage/note')).stdout).toBe('mine\n')

  const doctor = (await dcm.must<{ name: string; holds: boolean; says: string; fix?: string }[]>('doctor')).data
  for (const name of ['firewall', 'disk quota'])
    expect(
      doctor.find((check) => check.name === name),
      name,
    ).toMatchObject({ holds: false, fix: expect.stringContaining('root') })

  // What root inside left behind is removed, though DCM itself may not.
  await dcm.must('user rm alice --images --storage', { yes: true })
  const view = await lookAt(dcm.engine, dcm.instance())
  expect([view.containers, view.networks]).toEqual([[], []])
  const left = await runProgram('find', [join(dcm.dataDir, 'storage'), join(dcm.dataDir, 'trash'), '-mindepth', '1'])
  expect(left.stdout).toBe('')
})
