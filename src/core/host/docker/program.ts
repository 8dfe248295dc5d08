import { execFile } from 'node:child_process'
import { HostError } from '../fault.ts'
import { tidy } from './fault.ts'

export type Ran = { ok: boolean; stdout: string; stderr: string; code: number | string }

/** Never a member's: a fixed place to look for programs, and nothing of DCM's own environment, which holds secrets. */
const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

/**
 * Runs one of the machine's programs with fixed arguments and no shell, for at most `seconds`.
 * @returns what it said; a program that is missing or fails is no error here
 */
export function run(
  program: string,
  args: readonly string[],
  options: { seconds?: number; input?: string } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const limits = {
      env,
      cwd: '/',
      timeout: (options.seconds ?? 30) * 1000,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1024 * 1024,
    } as const
    const child = execFile(program, args, limits, (error, stdout, stderr) => {
      resolve({
        ok: error === null,
        stdout,
        stderr,
        code: error === null ? 0 : (error.code ?? error.signal ?? 'failed'),
      })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
  })
}

/** As `run`, for what has to succeed. @throws HostError `broken` with the program's own words */
export async function must(
  program: string,
  args: readonly string[],
  options: { seconds?: number; input?: string } = {},
): Promise<string> {
  const ran = await run(program, args, options)
  if (ran.ok) return ran.stdout
  const full = /no space left|disk quota/i.test(ran.stderr)
  throw new HostError(
    full ? 'full' : 'broken',
    `${program} failed (${ran.code}${ran.stderr ? `: ${tidy(ran.stderr)}` : ''}).`,
  )
}
