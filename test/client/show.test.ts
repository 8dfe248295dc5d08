import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { show } from '../../src/client/show.ts'
import { ended } from '../../src/core/reply/ended.ts'

/** What is printed of a program's end. */
async function shown(code: number, how: { json?: boolean } = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const reply = ended('make in web', { name: 'web', code, late: false, output: 'one\n\u001b[31mtwo', cut: false })
  const options = { json: how.json ?? false, output: undefined }
  const exit = await show({ reply }, options, { stdout, stderr, colour: false })
  for (const stream of [stdout, stderr]) stream.end()
  return { exit, stdout: await text(stdout), stderr: await text(stderr) }
}

test('a program that ran inside leaves its output alone and its exit code, as docker exec does', async () => {
  const stdout = 'one\n\\u001b[31mtwo'
  expect(await shown(0)).toEqual({ exit: 0, stdout, stderr: '' })
  expect(await shown(3)).toEqual({ exit: 3, stdout, stderr: 'make in web ended with exit code 3.\n' })
})

test('with --json it is the whole reply, and a failure as any other', async () => {
  const { exit, stdout } = await shown(3, { json: true })
  expect(exit).toBe(5)
  expect(JSON.parse(stdout)).toMatchObject({ error: 'conflict', data: { exit_code: 3 } })
})
