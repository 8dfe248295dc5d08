import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from '../../src/core/model/person.ts'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
let [alice, bob]: Person[] = []
const must = async (line: string, who = alice!) => {
  const reply = await world.say(who, line)
  expect(reply.error, `${line}: ${reply.text}`).toBeUndefined()
  return reply
}

beforeAll(async () => {
  world = await createWorld()
  ;[alice, bob] = [await world.member('alice'), await world.member('bob')]
  await must('create web --image debian')
  await must('commit web web:v1')
  await must('create web --image debian', bob)
})
afterAll(() => world[Symbol.asyncDispose]())

test('image show tells what is inside without a value, and what it was made from among what the caller may use', async () => {
  const shown = await must('image show web:v1')
  expect(shown.data).toMatchObject({ base: 'debian:latest', source: 'web', env: [], used_by: [] })
  world.host.fake.addImage('told:1', {
    env: ['TOKEN=hunter2'],
    inside: {
      user: 'app\u001b[31m',
      exposes: ['80/tcp'],
      labels: { 'org.opencontainers.image.description': 'Runs\nfast \u202e<!channel> it.' },
    },
  })
  await must('image offer told:1 --name told', world.admin)
  const told = await must('image show told')
  expect(told.data).toMatchObject({ env: ['TOKEN'], ports: ['80/tcp'], help: 'Runs fast \\u202e<!channel> it.' })
  expect(told.fields!.user).toBe('app')
  expect(JSON.stringify(told)).not.toContain('hunter2')
  expect(told.text).toBe('told:latest is 100m in 2 layers: Runs fast \\u202e<!channel> it.')
})

test('an admin sees who runs an offered image, a member only their own', async () => {
  expect((await must('image show debian')).data).toMatchObject({ used_by: ['web'] })
  expect((await must('image show debian', world.admin)).data).toMatchObject({ used_by: ['alice/web', 'bob/web'] })
})

test('who still runs a deprecated or renewed image is told to admins by name and to each member of their own', async () => {
  const said = await must('image deprecate debian --use told', world.admin)
  expect(said.data).toMatchObject({ use: 'told:latest', used_by: ['alice/web', 'bob/web'] })
  const listed = await must('images')
  expect(listed.data).toContainEqual(expect.objectContaining({ image: 'debian:latest', use_instead: 'told:latest' }))
  expect(listed.table!.rows.find((row) => row[0] === 'debian:latest')!.at(-1)).toMatch(/^deprecated, use told:latest\./)
  expect((await must('ps')).table!.rows[0]![1]).toBe('debian (deprecated)')
  expect((await must('inspect web')).fields).toMatchObject({
    'its image': 'debian:latest is deprecated; create from told:latest, or redeploy on it.',
  })
  await must('image deprecate debian --off', world.admin)
  expect((await must('ps')).table!.rows[0]![1]).toBe('debian')

  world.host.fake.addImage('debian:newer')
  await must('image offer debian:newer --name debian', world.admin)
  expect((await must('ps')).table!.rows[0]![1]).toBe('debian (older)')
  expect((await must('image show debian', world.admin)).data).toMatchObject({
    used_by: ['alice/web (older)', 'bob/web (older)'],
  })
  await must('redeploy web')
  expect((await must('ps')).table!.rows[0]![1]).toBe('debian')
  expect((await must('image show debian', world.admin)).data).toMatchObject({
    used_by: ['alice/web', 'bob/web (older)'],
  })
})

test('an image is deprecated for another that is offered, by an admin', async () => {
  await world.refused(alice!, 'image deprecate debian --use told', 'denied')
  for (const line of [
    'image deprecate debian',
    'image deprecate debian --use debian',
    'image deprecate debian --use told --off',
  ])
    expect((await world.say(world.admin, line)).error, line).toBe('usage')
  expect((await world.say(world.admin, 'image deprecate debian --use web:v1')).error).toBe('not_found')
})
