import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dcm } from './dcm.ts'
import { runProgram } from './member.ts'

const tree = join(import.meta.dirname, '../../..')

/** One line that somebody types in a guide, and what the guide says that they see. */
export type Step = { by: 'admin' | 'member'; line: string; says: string }

/** The steps of a guide: in its `console` blocks `#` is the admin's prompt, `$` the member's, as shells have them. */
export function stepsOf(guide: string): Step[] {
  const blocks = [...guide.matchAll(/^```console\n([\s\S]*?)^```/gm)].map((found) => found[1]!)
  return blocks.flatMap((block) =>
    [...block.matchAll(/^([#$]) (.*(?:\\\n.*)*)\n((?:(?![#$] ).*\n)*)/gm)].map(([, prompt, line, says]) => ({
      by: prompt === '#' ? ('admin' as const) : ('member' as const),
      line: line!,
      says: says!,
    })),
  )
}

/** Files that a guide has its reader write: blocks that say `file=NAME`. */
export const filesOf = (guide: string): { name: string; text: string }[] =>
  [...guide.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```/gm)].map(([, name, text]) => ({ name: name!, text: text! }))

/** What differs from run to run: fingerprints and keys, secrets, times, ids, numbers. */
const changing =
  /SHA256:[\w+/]{43}|whsec_[\w+/=]+|dcm_\w+|\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?|\b[a-z][0-9a-z]{11}\b|\d+(?:\.\d+)?[kmgshd]?\b/g

/** Of those, what a later line of the guide may type again: ports, ids, secrets. */
const typed = /^(?:\d{5}|[a-z][0-9a-z]{11}|whsec_.*)$/

const shape = (text: string) =>
  text
    .replace(changing, '0')
    .replace(/[ \t]+/g, ' ')
    .replace(/ $/gm, '')
    .trim()

/** A shell in which `dcm` is the real one and `ssh` is OpenSSH's with this member's key. */
export async function createShell(dcm: Dcm, folder: string, key: string, publicUrl: string) {
  const bin = join(folder, 'bin')
  const work = join(folder, 'work')
  for (const path of [bin, work]) await mkdir(path, { recursive: true })
  const options = ['-F', 'none', '-i', key, '-o', `UserKnownHostsFile=${folder}/known_hosts`]
  const quiet = ['StrictHostKeyChecking=accept-new', 'LogLevel=ERROR', 'IdentitiesOnly=yes']
  const ssh = [...options, ...quiet.flatMap((one) => ['-o', one])].join(' ')
  const programs = { dcm: `exec '${tree}/bin/dcm' "$@"`, ssh: `exec /usr/bin/ssh ${ssh} "$@"` }
  for (const [name, line] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`)
    await chmod(join(bin, name), 0o755)
  }
  /** What the guide's numbers and ids are in this run. */
  const real = new Map<string, string>()

  return {
    folder: work,
    /** @returns what is seen, as the guide would have it, and what the guide has */
    async run(step: Step, env: Record<string, string>): Promise<{ seen: string; told: string }> {
      const line = step.line.replace(changing, (word) => real.get(word) ?? word)
      const who = step.by === 'admin' ? { DCM_DATA_DIR: dcm.dataDir } : env
      const path = `${bin}:${process.env['PATH']}`
      // What goes on while it runs is on stderr, and differs; why it failed is too, and does not.
      const script = `cd '${work}'\n{\n${line.replaceAll(publicUrl, dcm.url)}\n} 2>../err || cat ../err`
      const ran = await runProgram('sh', ['-c', script], '', { PATH: path, HOME: work, ...who })
      const stdout = ran.stdout.replaceAll(dcm.url, publicUrl)
      const [told, seen] = [step.says.match(changing) ?? [], stdout.match(changing) ?? []]
      for (const [at, word] of told.entries()) if (typed.test(word) && seen[at] !== undefined) real.set(word, seen[at])
      return { seen: `${step.line}\n${shape(stdout)}`, told: `${step.line}\n${shape(step.says)}` }
    },
  }
}
