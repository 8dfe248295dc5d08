import type { Command } from '../../core/command/define.ts'
import { findCommand } from '../../core/command/find.ts'
import { splitWords, untypeset } from '../../core/command/words.ts'
import type { Door } from '../../core/door/door.ts'
import type { Actor } from '../../core/model/person.ts'
import { confirmationOf } from '../../core/reply/confirm.ts'
import { toAnsi } from '../../core/reply/ansi.ts'
import { DcmError, exitCodes } from '../../core/reply/error.ts'
import { programOf } from '../../core/reply/program.ts'
import { createProgress } from '../../core/reply/progress.ts'
import { refusal, type Reply } from '../../core/reply/reply.ts'
import { detailsOf, printable, toText } from '../../core/reply/text.ts'
import type { Piped } from './piped.ts'

/** Where a command's words go, and who can be asked. */
export type Console = {
  put(stream: 'stdout' | 'stderr', data: Buffer | string): Promise<boolean>
  /** A terminal's columns; undefined on pipes. */
  columns: (() => number) | undefined
  /** Asks for a yes; absent where nobody can be asked. */
  confirm?(question: string): Promise<boolean>
  /** What is piped in, for an argument that is `-`. */
  input?: Piped
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

/** What is piped in, in the place of the word `-`: as text, or beside the words for a command that takes a stream. */
async function withInput(
  commands: Door['commands'],
  words: string[],
  { input }: Console,
): Promise<{ words: string[]; body?: AsyncIterable<Uint8Array>; came?: () => boolean }> {
  const mine = own(words)
  const piped = mine.findIndex((word) => word === '-' || /^--[a-z][a-z0-9-]*=-$/i.test(word))
  if (!input) return { words }
  if (piped < 0) return /^(?:exec|run)$/i.test(mine[0] ?? '') ? { words, came: input.watch() } : { words }
  const { command } = findCommand(commands, mine)
  if (command.streams && (!takesText(command) || (await input.isTar()))) return { words, body: input.bytes() }
  const text = (await input.text()).replace(/\r?\n$/, '')
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new DcmError(
      'usage',
      'That is a private key, which nobody should be sent; pipe in the file that ends in .pub.',
    )
  return { words: words.map((word, at) => (at === piped ? word.replace(/-$/, () => text) : word)) }
}

const takesText = ({ args }: Command) => Object.values(args).some(({ kind }) => kind === 'document')

/** Runs one typed line and prints what comes of it. @returns the exit code, as the local command has them */
export async function runLine(deps: ToolDeps, line: string, console: Console): Promise<number> {
  const { door } = deps
  const terminal = console.columns
  const progress = createProgress(
    { write: (text) => void console.put('stderr', text), isTTY: terminal !== undefined, columns: terminal?.() ?? 80 },
    false,
  )
  let json = false

  async function ask(words: string[], body?: AsyncIterable<Uint8Array>): Promise<Reply> {
    const actor = await deps.who()
    const reply = await door.handle(
      { actor, input: { words }, ...(body ? { body } : {}) },
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

  async function show({ file, ...reply }: Reply, given = false): Promise<number> {
    const text = () => (terminal ? toAnsi(reply, { columns: terminal(), colour: true }) : toText(reply))
    if (json && !file) await console.put('stdout', `${printable(JSON.stringify(reply, null, 2))}\n`)
    const program = programOf(reply, { piped: !json && !terminal, given })
    if (program && !terminal) {
      if (!json) await console.put('stdout', printable(program.output))
      if (program.says) await console.put('stderr', `${printable(program.says)}\n`)
      return program.code
    }
    if (reply.error) {
      await console.put('stderr', `${json ? printable(reply.text) : text()}\n`)
      return program?.code ?? exitCodes[reply.error]
    }
    // What is in a container may be meant for the terminal of whoever looks at it.
    if (file && terminal && !file.type.startsWith('text/')) {
      // Begun, so that it ends what it holds.
      for await (const _ of file.bytes) break
      await console.put(
        'stderr',
        `${printable(file.name)} is no text to print; say it to ssh without -t, and > FILE.\n`,
      )
      return exitCodes.usage
    }
    if (file) for await (const bytes of file.bytes) if (!(await console.put('stdout', Buffer.from(bytes)))) return 0
    if (!file && !json) await console.put('stdout', `${text()}\n`)
    return program?.code ?? 0
  }

  try {
    const typed = splitWords(untypeset(line))
    json = own(typed).includes('--json')
    const words = typed.filter((word, at) => word !== '--json' || at >= own(typed).length)
    deps.doing(words[0] ? `command ${printable(words[0]).slice(0, 40)}` : 'command')
    if (words.length === 0) return await show(await ask(['help']))
    const given = await withInput(door.commands, words, console)
    const reply = await ask(given.words, given.body)
    return await show(reply, given.came?.())
  } catch (error) {
    progress.clear()
    if (!(error instanceof DcmError)) throw error
    return show(refusal(error))
  }
}
