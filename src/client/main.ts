import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { confirmationOf } from '../core/reply/confirm.ts'
import { createProgress } from '../core/reply/progress.ts'
import { detailsOf, printable } from '../core/reply/text.ts'
import { readBuild } from './build.ts'
import { asksHelp, copies, copy, tellLeft } from './copy.ts'
import { watchInput } from './input.ts'
import { type Options, readOptions } from './options.ts'
import { type Outcome, outcome, Unreachable, type Upload } from './outcome.ts'
import { show } from './show.ts'
import { readValues } from './values.ts'
import { dataFolder, readWhere, type Where } from './where.ts'

const { env, stdin, stdout, stderr } = process
const home = env.HOME ?? '/'
const root = process.getuid?.() === 0
const tree = dirname(dirname(import.meta.dirname))

/** Why nobody answers, and what to type. */
function away(where: Where, code: string): string {
  if ('url' in where)
    return `No DCM answers at ${where.url.origin} (${code}); look at DCM_URL, or whether it runs there.`
  if (code === 'EACCES' || code === 'EPERM')
    return 'Only root and the account that DCM runs as may open its socket; use sudo, or set DCM_URL and DCM_TOKEN.'
  if (!root && !env.DCM_DATA_DIR && existsSync('/var/lib/dcm'))
    return 'DCM does not run under your account; if it runs as root use sudo, or set DCM_URL and DCM_TOKEN.'
  const folder = dataFolder(env, root)
  return `No DCM answers in ${folder}; set DCM_DATA_DIR to the folder of the one that runs, or start one with: npm --prefix '${tree.replaceAll("'", "'\\''")}' start`
}

/** Asks on the terminal. Only a clear yes is one. */
async function confirmed(sentence: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const prompt = createInterface({ input: stdin, output: stderr })
  try {
    return /^y(es)?$/i.test((await prompt.question(`${printable(sentence)} Go on? [y/N] `)).trim())
  } catch {
    return false
  } finally {
    prompt.close()
  }
}

/** What would confirm, when a reply is only a question. */
const asked = ({ reply }: Outcome) => confirmationOf(reply)

/** Copies files in or out, as long as nobody interrupts. */
async function copyFiles(where: Where, { words, json }: Options): Promise<number> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  try {
    return await copy(where, words, { json, signal: stop.signal }, { stdin, stdout, stderr })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (stop.signal.aborted) {
      stderr.write('Interrupted; what was copied in may be incomplete.\n')
      return 130
    }
    if (code === 'EPIPE' || code === 'ECONNRESET')
      throw new Error('The link to DCM was cut; what was copied in may be incomplete.', { cause: error })
    if (code === undefined) throw error
    stderr.write(`${away(where, code)}\n`)
    return 7
  }
}

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv)
  if (options.ask === 'version') {
    const { version } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as { version: string }
    stdout.write(`dcm ${version}\n`)
    return 0
  }
  if (options.ask === 'completion' || options.ask === 'complete') {
    const { candidates, completionScript } = await import('./completion.ts')
    if (options.ask === 'complete') {
      const found = await candidates(readWhere(env, root), options.words.at(-1) ?? '')
      if (found.length > 0) stdout.write(`${found.join('\n')}\n`)
      return 0
    }
    const script = completionScript(options.words[0])
    if (script === undefined)
      throw new Error('completion takes bash or zsh; put "source <(dcm completion bash)" into ~/.bashrc.')
    stdout.write(script)
    return 0
  }

  const where = readWhere(env, root)
  if ('url' in where && where.url.protocol === 'http:' && !/^(localhost|127\..*|\[::1\])$/.test(where.url.hostname))
    stderr.write('Your token goes over the network unencrypted; use https:// in DCM_URL.\n')
  if (copies(options.words)) return copyFiles(where, options)
  const given = watchInput(options.words, stdin)
  const left: string[] = []
  const built = options.words[0] === 'build' && !asksHelp(options.words)
  const typed = built
    ? await readBuild(options.words, { home, stdin, left: (path) => void left.push(path) })
    : options.words
  const wish = Array.isArray(typed) ? readValues(typed, home) : typed
  const progress = createProgress(stderr, options.json)
  const stop = new AbortController()
  let operation: string | undefined
  let sent = false
  const interrupt = () => stop.abort()
  process.on('SIGINT', interrupt)
  const ask = (wish: string[] | Upload) =>
    outcome(where, options.ask === 'operation' && Array.isArray(wish) ? { operation: wish[1]! } : wish, {
      signal: stop.signal,
      progress: (text) => progress.say(text),
      operation: (id) => (operation = id),
      sent: () => (sent = true),
      bounded: options.bounded ?? false,
      lost: () => progress.say('The link to DCM was lost; waiting for it to come back'),
    })
  try {
    let got = await ask(wish)
    progress.clear()
    tellLeft(left, stderr)
    const question = asked(got)
    if (question && !options.json) {
      // What would go is seen before anybody says yes.
      const details = detailsOf(got.reply)
      if (details) stderr.write(`${details}\n`)
      if (stdin.isTTY && stderr.isTTY) {
        process.off('SIGINT', interrupt)
        if (!(await confirmed(got.reply.text))) {
          stderr.write('Nothing was done.\n')
          return 5
        }
        process.on('SIGINT', interrupt)
        got = await ask(question.words)
        progress.clear()
      } else {
        stderr.write(`${printable(got.reply.text)} To confirm: dcm ${printable(question.line)}\n`)
        return 5
      }
    }
    return await show(
      got,
      { ...options, given: given(), outcome: options.words[0] === 'outcome' },
      { stdout, stderr, colour: !env.NO_COLOR },
    )
  } catch (error) {
    progress.clear()
    if (error instanceof Unreachable) {
      stderr.write(`${away(where, error.code)}\n`)
      return 7
    }
    if (!stop.signal.aborted) throw error
    const cut = !Array.isArray(wish) && !sent
    stderr.write(
      cut
        ? 'Interrupted while it was being sent; nothing is built of what did not come whole.\n'
        : operation
          ? `No longer waiting; it goes on. Look at it with: dcm outcome ${operation}\n`
          : 'Interrupted; what was asked may still be done. Look with: dcm ps\n',
    )
    return 130
  } finally {
    progress.clear()
  }
}

/** Writes all that is still on its way, for `exit` would cut a pipe short. */
const drained = (stream: Writable) =>
  new Promise<void>((resolve) => (stream.writableLength === 0 ? resolve() : stream.write('', () => resolve())))

// Who reads our output has left (`dcm logs web | head`): that is no failure.
for (const stream of [stdout, stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const code = await main(process.argv.slice(2)).catch((error: unknown) => {
  const { code: failure, path, message } = error as NodeJS.ErrnoException
  stderr.write(
    failure === 'EEXIST' ? `${path} is already there; choose another name for -o.\n` : `${printable(message)}\n`,
  )
  return failure === undefined ? 2 : 1
})
await Promise.all([drained(stdout), drained(stderr)])
process.exit(code)
