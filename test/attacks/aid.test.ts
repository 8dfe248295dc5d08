import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { AidWish } from '../../src/core/host/docker/aid.ts'
import { commitChanges } from '../../src/core/host/docker/commit.ts'
import { createFiles } from '../../src/core/host/docker/files.ts'
import type { Engine, SeenImage } from '../../src/core/host/engine.ts'

const privileged = process.getuid?.() === 0
afterEach(() => void (privileged && process.seteuid!(0)))

const image = (name: string, labels: Record<string, string>): SeenImage => ({
  engineId: `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`,
  size: 1,
  layers: 1,
  env: [],
  labels,
  volumes: [],
  entrypoint: [],
  command: [],
})

/** What a folder is looked into with where DCM is not root: `images` by their names in the engine, newest first. */
async function lookedWith(images: Record<string, SeenImage>): Promise<AidWish[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'dcm-aid-'))
  await chmod(dataDir, 0o777)
  if (privileged) {
    process.seteuid!(65_534)
    vi.spyOn(process, 'getuid').mockReturnValue(65_534)
  }
  const ran: AidWish[] = []
  const engine = {
    imageTags: async () =>
      Object.entries(images).flatMap(([ref, { engineId }]) => (ref.startsWith('dcm/') ? [{ ref, engineId }] : [])),
    image: async (ref: string) => images[ref] ?? Object.values(images).find((one) => one.engineId === ref),
    info: async () => ({}),
  } as unknown as Engine
  const aid = {
    lend: <T>(_: AidWish, use: (id: string) => Promise<T>) => use('x'),
    run: async (wish: AidWish) => {
      ran.push(wish)
      return { code: 0, output: '8\t/aid/data\n' }
    },
  }
  const files = createFiles({ dataDir: join(dataDir, 'own'), instance: 'i1', engine, aid, warn: () => undefined })
  const { path } = await files.ensureStorage('ada', 2 ** 26)
  const closed = join(path, 'private')
  await mkdir(closed, { mode: 0o000 })
  const looked = files.storage('ada')
  await looked.catch(() => undefined)
  if (privileged) process.seteuid!(0)
  await chmod(closed, 0o700)
  await rm(dataDir, { recursive: true })
  await looked
  return ran
}

const built = image('built', { 'dcm.built': 'i1' })
const saved = image('saved', { 'dcm.built': '' })

test("a saved image's programs never get another member's folder, however new it is", async () => {
  const ran = await lookedWith({
    'dcm/i1/saved:latest': saved,
    'dcm/i1/flat:latest': image('flat', {}),
    'dcm/i1/built:latest': built,
  })
  expect(ran.map((wish) => wish.imageId)).toEqual([built.engineId])
  // With DAC_READ_SEARCH a program inside opens any file of the host by its handle.
  expect(ran[0]!.caps).toEqual(['DAC_OVERRIDE', 'FOWNER'])
})

test('where DCM built none, none of a member takes its place', async () => {
  const base = image('base', {})
  expect(
    (await lookedWith({ 'dcm/i1/saved:latest': saved, 'debian:bookworm-slim': base })).map((wish) => wish.imageId),
  ).toEqual([base.engineId])
  await expect(
    lookedWith({ 'dcm/i1/saved:latest': saved, 'dcm/i1/other:latest': image('other', { 'dcm.built': 'i2' }) }),
  ).rejects.toThrow('no image')
})

test('a commit takes the mark of an image of DCM away', () => {
  expect(commitChanges([])).toContain('LABEL dcm.built=""')
})
