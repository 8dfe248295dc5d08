import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveStandIn, tree } from './setup.ts'

let service: Awaited<ReturnType<typeof serveStandIn>>
beforeAll(async () => {
  service = await serveStandIn()
  await writeFile(join(service.folder, 'some'), 'one\ntwo\n')
  await writeFile(join(service.folder, 'empty'), '')
})
afterAll(() => service[Symbol.asyncDispose]())

const calls = () => service.calls.length
/** What bash makes of a line in which `dcm` is this one. */
const sh = (line: string) =>
  service.bash(
    `cd '${service.folder}'; dcm() { '${process.execPath}' '${tree}/src/client/main.ts' "$@"; }; set -o pipefail; ${line}`,
  )

test('a file on standard input is refused, with what reads it, before anything is run', async () => {
  const before = calls()
  expect(await sh('dcm exec web -- cat <some')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^Nothing was run, .*: ssh NAME\+web@HOST -- … .*dcm ssh web/) as string,
  })
  expect(calls()).toBe(before)
})

test('what is piped in is said not to be passed on, which is no success', async () => {
  expect(await service.run(['exec', 'web', '--', 'cat'], { input: 'data' })).toMatchObject({
    code: 125,
    stdout: 'ran\n',
    stderr: 'What was piped in was not passed on; ssh ada+web@host -- … gives a program its input.\n',
  })
})

test.each([
  ['a file read to its end', 'exec 3<some; cat <&3 >out; dcm exec web -- true <&3'],
  ['an empty file', 'dcm exec web -- true <empty'],
  ['/dev/null', 'dcm exec web -- true </dev/null'],
  ['nothing at all', 'dcm exec web -- true <&-'],
  ['a pipe that stays open', 'mkfifo held; exec 4<>held; dcm exec web -- true <&4'],
])('%s changes nothing', async (_, line) => {
  const { code, stdout, stderr } = await sh(line)

  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ran\n', stderr: '' })
})
