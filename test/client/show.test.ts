import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { show } from '../../src/client/show.ts'
import { ended } from '../../src/core/reply/ended.ts'

/** What is printed of a program's end. */
async function shown(code: number, how: { json?: boolean; cut?: boolean; outcome?: boolean } = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const { cut = false, outcome = false } = how
  const reply = ended('make in web', {
    name: 'web',
    code,
    late: false,
    output: 'one\n\u001b[31mtwo',
    cut,
    changed: null,
    whole: 'ssh ada+web@host -- …',
  })
  const options = { json: how.json ?? false, output: undefined, outcome }
  const exit = await show({ reply }, options, { stdout, stderr, colour: false })
  for (const stream of [stdout, stderr]) stream.end()
  return { exit, stdout: await text(stdout), stderr: await text(stderr) }
}

test('a program that ran inside leaves its output alone and its exit code, as docker exec does', async () => {
  const stdout = 'one\n\\u001b[31mtwo'
  expect(await shown(0)).toEqual({ exit: 0, stdout, stderr: '' })
  expect(await shown(3)).toEqual({ exit: 3, stdout, stderr: 'make in web ended with exit code 3.\n' })
})

test('who asks for the outcome is told it, also where the program printed nothing', async () => {
  expect((await shown(0, { outcome: true })).stderr).toBe('make in web ended with exit code 0.\n')
  expect((await shown(3, { outcome: true })).stderr).toBe('make in web ended with exit code 3.\n')
})

test('output that is not whole is said on stderr, and is no success', async () => {
  const stderr =
    'make in web ended with exit code 0. Some of what it printed is left out; ssh ada+web@host -- … gives all of it.\n'
  expect(await shown(0, { cut: true })).toMatchObject({ exit: 125, stderr })
  expect(await shown(0, { cut: true, json: true })).toMatchObject({ exit: 125, stderr })
})

test('with --json it is the whole reply, and the same exit code', async () => {
  const { exit, stdout } = await shown(3, { json: true })
  expect(exit).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({ error: 'conflict', data: { exit_code: 3 } })
})
