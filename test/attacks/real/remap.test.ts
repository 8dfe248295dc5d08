import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../../setup/engine.ts'
import { type PrivateEngine, startPrivateEngine } from '../../setup/private-engine.ts'
import { type Dcm, startDcm } from '../../e2e/support/dcm.ts'
import { lookAt } from '../../e2e/support/engine.ts'
import { kept } from '../../e2e/support/images.ts'
import type { Member } from '../../e2e/support/member.ts'

/** Where the private engine puts containers' root. */
const root = 231_072

let [engine, dcm, alice]: [PrivateEngine, Dcm, Member] = [] as never
beforeAll(async () => {
  engine = await startPrivateEngine({ remap: true, images: [kept] })
  dcm = await startDcm({
    engine: engine.socket,
    dockerHost: engine.socket,
    enter: engine.enter,
    dataDir: join(engine.data, 'dcm'),
    offers: { from: kept },
  })
  alice = await dcm.member('alice')
})
afterAll(async () => {
  await dcm?.[Symbol.asyncDispose]()
  await engine?.[Symbol.asyncDispose]()
})

test('under userns-remap: create, ssh, scp, sftp, storage, commit, copy, key change, rm', async () => {
  await alice.must('create web --image debian -m 256m -p 8080')
  expect((await alice.ssh('web', 'id -u; cut -c1-30 /proc/self/uid_map | tr -s " "')).stdout).toMatch(
    new RegExp(`^0\n ?0 ${root} `),
  )
  // Root inside is somebody else on the host.
  const [container] = (await lookAt(engine.socket, dcm.instance())).containers
  expect((await stat(`/proc/${container!.State.Pid}`).catch(() => undefined))?.uid ?? root).toBe(root)

  expect(
    (
      await alice.ssh(
        'web',
        'echo mine > /storage/note; chown 1000:1000 /storage/note; ls -ln /storage/note | cut -d" " -f3,4',
      )
    ).stdout,
  ).toBe('1000 1000\n')
  const [owner] = (await readdir(join(dcm.dataDir, 'storage'))).filter((name) => !name.includes('.'))
  const seen = await stat(join(dcm.dataDir, 'storage', owner!, 'data'))
  expect([seen.uid, seen.gid]).toEqual([root, root])

  expect(await alice.sftp('web', 'mkdir /root/by-sftp\nls /storage\n')).toMatchObject({ code: 0 })
  expect(await alice.scp('web', alice.key + '.pub', 'web:/root/by-scp')).toMatchObject({ code: 0 })
  await alice.must('stop web')
  await alice.must('start web')
  expect((await alice.ssh('web', 'cat /storage/note; ls -d /root/by-sftp')).stdout).toBe('mine\n/root/by-sftp\n')

  await alice.must('commit web web:v1')
  await alice.must('create copy --image web:v1 -m 128m')
  expect((await alice.ssh('copy', 'ls -d /root/by-scp; cat /storage/note')).stdout).toBe('/root/by-scp\nmine\n')
  await alice.must(['key', 'rm', 'alice@test'], { yes: true })
  expect((await alice.ssh('copy', 'true')).code).toBe(255)
  await alice.must(['key', 'add', alice.publicKey])
  expect((await alice.ssh('copy', 'true')).code).toBe(0)

  await alice.must('rm -f web copy')
  await dcm.must('user rm alice --images --storage', { yes: true })
  const view = await lookAt(engine.socket, dcm.instance())
  expect([view.containers, view.networks]).toEqual([[], []])
  expect((await readdir(join(dcm.dataDir, 'storage'))).filter((name) => name.startsWith(owner!))).toEqual([])
  const doctor = (await dcm.must<{ name: string; holds: boolean }[]>('doctor')).data
  expect(doctor.find((check) => check.name === 'user namespaces')?.holds).toBe(true)
  expect((await ask<{ SecurityOptions: string[] }>(engine.socket, 'GET', '/info')).SecurityOptions.join()).toContain(
    'userns',
  )
})
