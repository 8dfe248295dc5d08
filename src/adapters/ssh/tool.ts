import { findCommand } from '../../core/command/parse.ts'
import { splitWords, untypeset } from '../../core/command/words.ts'
import type { Door } from '../../core/door/door.ts'
import type { Actor } from '../../core/model/person.ts'
import { confirmationOf } from '../../core/reply/confirm.ts'
import { toAnsi } from '../../core/reply/ansi.ts'
import { DcmError, exitCodes } from '../../core/reply/error.ts'
import { createProgress } from '../../core/reply/progress.ts'
import { refusal, type Reply } from '../../core/reply/reply.ts'
import { detailsOf, printable, toText } from '../../core/reply/text.ts'

/** Where a command's words go, and who can be asked. */
export type Console = {
  put(stream: 'stdout' | 'stderr', data: Buffer | string): Promise<boolean>
  /** A terminal's columns; undefined on pipes. */
  columns: (() => number) | undefined
  /** Asks for a yes; absent where nobody can be asked. */
  confirm?(question: string): Promise<boolean>
  /** All of what is piped in, for an argument that is `-`. @throws DcmError when it is too much */
  input?(): Promise<string>
  /** Aborted when the caller no longer waits. */
  signal: AbortSignal
}

export type ToolDeps = {
  door: Door
  /** Who is calling now: asked again for every command. @throws when they may no longer be here */
  who(): Promise<Actor>
  doing(text: string): void
}

/** The words before `--`, which are DCM's own. */
const own = (words: readonly string[]) => (words.includes('--') ? words.slice(0, words.indexOf('--')) : words)

async function withInput(words: string[], console: Console, streams: (words: string[]) => boolean): Promise<string[]> {
  const mine = own(words).length
  const piped = words.findIndex((word, at) => at < mine && (word === '-' || /^--[a-z][a-z0-9-]*=-$/i.test(word)))
  if (piped < 0 || !console.input) return words
  if (streams(words))
    throw new DcmError(
      'usage',
      `${words[0]} takes its bytes over HTTP; by SSH use scp or sftp, or pipe a tar into "ssh -p PORT NAME+CONTAINER@HOST tar -xf - -C /FOLDER".`,
    )
  const text = (await console.input()).replace(/\r?\n$/, '')
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new DcmError(
      'usage',
      'That is a private key, which nobody should be sent; pipe in the file that ends in .pub.',
    )
  return words.map((word, at) => (at === piped ? word.replace(/-$/, () => text) : word))
}

/** Runs one typed line and prints what comes of it. @returns the exit code, as the local command has them */
export async function runLine(deps: ToolDeps, line: string, console: Console): Promise<number> {
  const { door } = deps
  const terminal = console.columns
  const progress = createProgress(
    { write: (text) => void console.put('stderr', text), isTTY: terminal !== undefined, columns: terminal?.() ?? 80 },
    false,
  )
  let json = false

  async function ask(words: string[]): Promise<Reply> {
    const actor = await deps.who()
    const reply = await door.handle(
      { actor, input: { words } },
      { progress: (text) => progress.say(text), signal: console.signal },
    )
    progress.clear()
    const asked = confirmationOf(reply)
    if (!asked || json) return reply
    if (!console.confirm) return { ...reply, text: `${reply.text} To confirm: ${asked.line}` }
    await console.put('stderr', `${[detailsOf(reply), printable(reply.text)].filter(Boolean).join('\n')}\n`)
    if (await console.confirm('Go on? [y/N] ')) return ask(asked.words)
    return refusal(new DcmError('conflict', 'Nothing was done.'))
  }

  async function show({ file, ...reply }: Reply): Promise<number> {
    const text = () => (terminal ? toAnsi(reply, { columns: terminal(), colour: true }) : toText(reply))
    if (json && !file) await console.put('stdout', `${printable(JSON.stringify(reply, null, 2))}\n`)
    if (reply.error) {
      await console.put('stderr', `${json ? printable(reply.text) : text()}\n`)
      return exitCodes[reply.error]
    }
    if (file) for await (const bytes of file.bytes) if (!(await console.put('stdout', Buffer.from(bytes)))) return 0
    if (!file && !json) await console.put('stdout', `${text()}\n`)
    return 0
  }

  try {
    const typed = splitWords(untypeset(line))
    json = own(typed).includes('--json')
    const words = typed.filter((word, at) => word !== '--json' || at >= own(typed).length)
    deps.doing(words[0] ? `command ${printable(words[0]).slice(0, 40)}` : 'command')
    if (words.length === 0) return await show(await ask(['help']))
    return await show(
      await ask(
        await withInput(words, console, (typed) => findCommand(door.commands, own(typed)).command.streams === true),
      ),
    )
  } catch (error) {
    progress.clear()
    if (!(error instanceof DcmError)) throw error
    return show(refusal(error))
  }
}
