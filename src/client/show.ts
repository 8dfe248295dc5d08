import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { WriteStream } from 'node:tty'
import { toAnsi } from '../core/reply/ansi.ts'
import { exitCodes } from '../core/reply/error.ts'
import { programOf } from '../core/reply/program.ts'
import { printable, toText } from '../core/reply/text.ts'
import type { Outcome } from './outcome.ts'

export type Streams = { stdout: Writable; stderr: Writable; colour: boolean }

const onTerminal = (stream: Writable): stream is WriteStream => (stream as Partial<WriteStream>).isTTY === true

/** A Reply as the stream shows it: with colours on a terminal, unless NO_COLOR says not to (no-color.org). */
function render(reply: Outcome['reply'], stream: Writable, colour: boolean): string {
  const { file: _, actions = [], ...others } = reply
  // Lines to type are for the shell that this was typed in.
  const rest = { ...others, actions: actions.map((action) => ({ ...action, line: `dcm ${action.line}` })) }
  return onTerminal(stream) ? toAnsi(rest, { columns: stream.columns || 80, colour }) : toText(rest)
}

/**
 * Prints the outcome: on stdout what was asked for, on stderr what went wrong.
 * @param options `given`: something was piped in for a program that has no input; `outcome`: how it ended was asked for
 * @returns the exit code
 */
export async function show(
  outcome: Outcome,
  options: { json: boolean; output: string | undefined; given?: boolean; outcome?: boolean },
  streams: Streams,
): Promise<number> {
  const { reply, bytes } = outcome
  const { stdout, stderr, colour } = streams
  if (options.json && !bytes) stdout.write(`${printable(JSON.stringify(reply, null, 2))}\n`)
  const program = programOf(reply, { piped: !options.json && !onTerminal(stdout), given: options.given ?? false })
  if (program) {
    if (!options.json) stdout.write(printable(program.output))
    const says = program.says ?? (options.outcome && !options.json ? reply.text : undefined)
    if (says) stderr.write(`${printable(says)}\n`)
    return program.code
  }
  if (reply.error) {
    stderr.write(`${options.json ? printable(reply.text) : render(reply, stderr, colour)}\n`)
    return exitCodes[reply.error] ?? 1
  }
  if (bytes) {
    if (options.output === undefined && onTerminal(stdout)) {
      stderr.write(`${reply.file!.name} would be printed here; write it to a file with -o FILE.\n`)
      return exitCodes.usage
    }
    // Never over a file that is there: what is in it may not be had again.
    const target =
      options.output === undefined ? stdout : createWriteStream(options.output, { flags: 'wx', mode: 0o600 })
    await pipeline(bytes, target, { end: target !== stdout })
    return 0
  }
  if (!options.json) stdout.write(`${render(reply, stdout, colour)}\n`)
  return 0
}
