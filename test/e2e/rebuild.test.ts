import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { ensureKept, kept } from './support/images.ts'
import type { Member } from './support/member.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
beforeAll(async () => {
  await ensureKept()
  dcm = await startDcm({ offers: { from: kept } })
  alice = await dcm.member('alice')
  await alice.must('create web --image debian')
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

test('an offered image is made anew under a running container, whose owner and admins are told', async () => {
  const said = await dcm.must<{ used_by: string[] }>('image rebuild debian')
  expect(said.data.used_by).toEqual(['alice/web'])
  expect((await alice.ssh('web', 'echo runs')).stdout).toBe('runs\n')
  expect((await alice.must('ps')).table!.rows[0]![1]).toBe('debian (older)')
  await alice.must('redeploy web')
  expect((await alice.must('ps')).table!.rows[0]![1]).toBe('debian')
  expect((await dcm.must<{ used_by: string[] }>('image show debian')).data.used_by).toEqual(['alice/web'])
  expect((await alice.ssh('web', 'echo runs')).stdout).toBe('runs\n')
})
