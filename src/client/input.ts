import { fstatSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'

/** Where a file that was opened before us is read on; proc_pid_fdinfo(5). At its start, where nobody says. */
function position(file: number): number {
  try {
    return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Whether the words run a program that has no input, and take none of ours for an argument either. */
function takesNone(words: readonly string[]): boolean {
  const own = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined)
  return /^(exec|run)$/.test(words[0] ?? '') && !own.some((word) => word === '-' || /^--[a-z-]+=-$/i.test(word))
}

/**
 * Watches for an input that would be lost. An open pipe that nothing comes from is none, and is not waited for.
 * @returns whether something has come until now
 * @throws Error with a sentence for a file, before anything is done
 */
export function watchInput(words: readonly string[], stdin: Readable): () => boolean {
  let came = false
  if (!takesNone(words)) return () => false
  const [verb, to] = words[0] === 'exec' && /^[a-z0-9/-]+$/.test(words[1] ?? '') ? words : [words[0], 'CONTAINER']
  try {
    const found = fstatSync(0)
    if (found.isFile() && found.size > position(0))
      throw new Error(
        `Nothing was run, as ${verb} passes no input on: ssh NAME+${to}@HOST -- … does (dcm ssh ${to} shows the line), and </dev/null says that it needs none.`,
      )
    if (found.isFIFO() || found.isSocket())
      stdin
        .on('error', () => undefined)
        .once('data', () => {
          came = true
          stdin.pause()
        })
  } catch (error) {
    // Closed, it is as good as empty.
    if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error
  }
  return () => came
}
