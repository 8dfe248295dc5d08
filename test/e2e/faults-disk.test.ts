import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ask } from '../setup/engine.ts'
import { createDatabase } from '../setup/postgres.ts'
import { agree } from './support/agree.ts'
import { startDcm } from './support/dcm.ts'
import { startIsolated } from './support/private.ts'

const run = promisify(execFile)

test('L09 on a full disk of the engine commit and create say so, nothing is left paused, and rm makes room', async () => {
  await using world = await startIsolated({ disk: 900 * 1024 ** 2 })
  const ada = await world.dcm.member('ada')
  await ada.must('create web --image debian -m 256m')
  // All but what the engine itself needs to go on.
  await ada.ssh('web', 'dd if=/dev/urandom of=/root/big bs=1M count=2000 2>/dev/null; sync; true')
  const full = await ada.run('commit web shot')
  expect(full).toMatchObject({ error: 'unavailable', text: expect.stringContaining('disk') as string })
  // Whether there is still room for an empty layer is the engine's affair; half a container is not.
  const more = await ada.run('create more --image debian -m 64m')
  expect(more.error ?? 'none', more.text).toMatch(/^(none|unavailable|conflict)$/)
  const [row] = await world.sql(`select engine_id, state from containers where name = 'web'`)
  const { State } = await ask<{ State: { Status: string } }>(
    world.engine.socket,
    'GET',
    `/containers/${String(row!['engine_id'])}/json`,
  )
  expect(State.Status).toBe('running')
  await ada.must('rm -f web')
  await ada.must('create again --image debian -m 64m')
  await world.dcm.settled()
  await agree(world.dcm)
})

test('M05 when the disk of DCM itself is full it says so, loses nothing, and goes on once there is room', async () => {
  const home = await mkdtemp(join(tmpdir(), 'dcm-disk-'))
  const [image, dataDir] = [join(home, 'disk'), join(home, 'data')]
  await writeFile(image, '')
  await truncate(image, 200 * 1024 ** 2)
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', image])
  await mkdir(dataDir)
  await run('mount', ['-o', 'loop', image, dataDir])
  try {
    await using database = await createDatabase()
    await using dcm = await startDcm({ databaseUrl: database.url, dataDir })
    const ada = await dcm.member('ada')
    await ada.must('create web --image debian -m 64m')
    const filler = join(dataDir, 'filler')
    await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M']).catch(() => undefined)
    const bob = await dcm.member('bob')
    const said = await bob.run('create more --image debian -m 64m')
    expect(said).toMatchObject({ error: 'unavailable', text: expect.stringContaining('disk') as string })
    expect((await ada.must<unknown[]>('ps')).data).toHaveLength(1)
    expect(await ada.ssh('web', 'echo in')).toMatchObject({ stdout: 'in\n' })
    await rm(filler)
    await bob.must('create more --image debian -m 64m')
    await dcm.settled()
    await agree(dcm)
  } finally {
    await run('umount', ['-l', dataDir]).catch(() => undefined)
    await rm(home, { recursive: true, force: true })
  }
})
