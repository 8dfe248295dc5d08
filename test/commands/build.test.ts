import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type World } from '../core/door/world.ts'

let world: World
beforeAll(async () => void (world = await createWorld()))
afterAll(() => world[Symbol.asyncDispose]())

test.each(['github.com/foo/bar', 'git.example.org/team/app.git#main:server'])(
  '%s is told to be written as a URL',
  async (typed) => {
    expect(await world.say(world.admin, `build x ${typed}`)).toMatchObject({
      error: 'usage',
      text: `A repository is named by its whole URL: write https://${typed}.`,
    })
  },
)

test('a path is none', async () => {
  expect((await world.say(world.admin, 'build x app/Dockerfile')).text).toContain('read by the dcm command alone')
})
