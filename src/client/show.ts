import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { WriteStream } from 'node:tty'
import { toAnsi } from '../core/reply/ansi.ts'
import type { ErrorCode } from '../core/reply/error.ts'
import { printable, toText, width } from '../core/reply/text.ts'
import type { Outcome } from './outcome.ts'

/** What a shell script sees of a failure. */
const exits: Record<ErrorCode, number> = {
  internal: 1,
  usage: 2,
  unlinked: 3,
  denied: 3,
  not_found: 4,
  conflict: 5,
  limited: 6,
  unavailable: 7,
}

export type Streams = { stdout: Writable; stderr: Writable; colour: boolean }

const onTerminal = (stream: Writable): stream is WriteStream => (stream as Partial<WriteStream>).isTTY === true

/** A Reply as the stream shows it: with colours on a terminal, unless NO_COLOR says not to (no-color.org). */
function render(reply: Outcome['reply'], stream: Writable, colour: boolean): string {
  const { file: _, ...rest } = reply
  return onTerminal(stream) ? toAnsi(rest, { columns: stream.columns || 80, colour }) : toText(rest)
}

/** Prints the outcome: on stdout what was asked for, on stderr what went wrong. @returns the exit code */
export async function show(
  outcome: Outcome,
  options: { json: boolean; output: string | undefined },
  streams: Streams,
): Promise<number> {
  const { reply, bytes } = outcome
  const { stdout, stderr, colour } = streams
  if (options.json && !bytes) stdout.write(`${printable(JSON.stringify(reply, null, 2))}\n`)
  if (reply.error) {
    stderr.write(`${options.json ? printable(reply.text) : render(reply, stderr, colour)}\n`)
    return exits[reply.error] ?? 1
  }
  if (bytes) {
    if (options.output === undefined && onTerminal(stdout)) {
      stderr.write(`${reply.file!.name} would be printed here; write it to a file with -o FILE.\n`)
      return exits.usage
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

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/** Tells of progress: one line that changes on a terminal, plain lines elsewhere, nothing at all when `quiet`. */
export function createProgress(stderr: Writable, quiet: boolean) {
  let shown = ''
  let frame = 0
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    const columns = (stderr as WriteStream).columns || 80
    let text = shown
    while (width(text) > columns - 3) text = text.slice(0, -1)
    stderr.write(`\r\u001b[K${frames[frame++ % frames.length]} ${text}`)
  }
  return {
    say(text: string) {
      const line = printable(text).replace(/\s+/g, ' ')
      if (line === shown) return
      shown = line
      if (!onTerminal(stderr)) {
        if (!quiet) stderr.write(`${line}\n`)
        return
      }
      timer ??= setInterval(draw, 100)
      draw()
    },
    /** Takes the line away, before anything else is printed. */
    clear() {
      clearInterval(timer)
      timer = undefined
      if (onTerminal(stderr) && shown !== '') stderr.write('\r\u001b[K')
      shown = ''
    },
  }
}
