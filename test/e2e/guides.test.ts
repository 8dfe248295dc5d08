import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { createShell, filesOf, stepsOf } from './support/replay.ts'
import { makeKey } from './support/member.ts'

const guides = join(import.meta.dirname, '../../docs/guides')

/** What the guides call the machine; they are read far from this one. */
const publicUrl = 'https://dcm.example.org'

let dcm: Dcm
beforeAll(async () => {
  dcm = await startDcm({ env: { DCM_PUBLIC_URL: publicUrl } })
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

describe('what a guide shows is what happens', async () => {
  const files = (await readdir(guides)).filter((name) => name.endsWith('.md'))
  test.each(files)('%s', async (file) => {
    const text = await readFile(join(guides, file), 'utf8')
    const member = /^# dcm user add (\S+)/m.exec(text)![1]!
    const steps = stepsOf(text)
    expect(steps.length).toBeGreaterThan(3)
    const folder = join(dcm.dataDir, `guide-${file}`)
    await mkdir(folder)
    const { key, publicKey } = await makeKey(folder, member)
    const shell = await createShell(dcm, folder, key, publicUrl)
    await writeFile(join(shell.folder, `${member}.pub`), `${publicKey}\n`)
    for (const one of filesOf(text)) await writeFile(join(shell.folder, one.name), one.text)
    let env: Record<string, string> | undefined
    for (const step of steps) {
      if (step.by === 'member' && !env) {
        const { data } = await dcm.must<{ token: string }>(['token', 'new', 'guide'], { as: member })
        env = { DCM_URL: dcm.url, DCM_TOKEN: data.token }
      }
      const { seen, told } = await shell.run(step, env ?? {})
      expect(seen).toBe(told)
    }
  })
})
