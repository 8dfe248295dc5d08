import type { Readable, Writable } from 'node:stream'
import { json as readJson } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { exitCodes } from '../core/reply/error.ts'
import type { Reply } from '../core/reply/reply.ts'
import { printable, toText } from '../core/reply/text.ts'
import { pack } from './pack.ts'
import { send } from './send.ts'
import { nameOf, unpack } from './unpack.ts'
import type { Where } from './where.ts'

/** How long a copy may stand still before the link counts as dead: a container's tar may have much to look at. */
const silence = 600_000

type Copy = { from: string; to: string; flags: Record<string, string | true> }

/** Whether a word names a path in a container; a local path with a colon in it is written ./a:b. */
const remote = (word: string) => /^[^./~-][^:]*:/.test(word)

/** @throws Error with a sentence */
function read(words: readonly string[]): Copy {
  const places: string[] = []
  const flags: Copy['flags'] = {}
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const flag = /^--(as|name|dry-run)(?:=(.*))?$/s.exec(word)
    if (flag) flags[flag[1]!] = flag[1] === 'dry-run' ? true : (flag[2] ?? words[++at] ?? '')
    else if (word !== '-' && word.startsWith('-'))
      throw new Error(`cp has no ${word.slice(0, 40)}; dcm cp ./site web:/srv copies in.`)
    else places.push(word)
  }
  const [from, to, ...more] = places
  if (from === undefined || to === undefined || more.length > 0 || remote(from) === remote(to))
    throw new Error(
      'cp takes what to copy and where to, one of them in a container: dcm cp ./site web:/srv, or dcm cp web:/srv ./site.',
    )
  return { from, to, flags }
}

/** Whether these words ask what a command does. */
export const asksHelp = (words: readonly string[]): boolean => words.includes('--help') || words[1] === '-h'

/** Whether these words are a copy that the client itself does: help and what is no copy is for the service. */
export const copies = (words: readonly string[]): boolean => words[0] === 'cp' && words.length > 1 && !asksHelp(words)

/**
 * Copies files into a container or out of it. What is local is opened here alone: the service sees a tar.
 * @returns the exit code
 */
export async function copy(
  where: Where,
  words: readonly string[],
  options: { json: boolean; signal: AbortSignal },
  streams: { stdin: Readable; stdout: Writable; stderr: Writable },
): Promise<number> {
  const wish = read(words.slice(1))
  return remote(wish.to) ? copyIn(where, wish, options, streams) : copyOut(where, wish, options, streams)
}

type Options = Parameters<typeof copy>[2]
type Streams = Parameters<typeof copy>[3]

async function copyIn(where: Where, { from, to, flags }: Copy, options: Options, streams: Streams): Promise<number> {
  const left: string[] = []
  const packed = from === '-' ? { name: undefined, tar: streams.stdin } : await pack(from, (path) => left.push(path))
  const query = new URLSearchParams({ source: '-', target: to })
  if (packed.name !== undefined) query.set('name', packed.name)
  for (const [name, value] of Object.entries(flags)) query.set(name, value === true ? 'true' : value)
  let failure: Error | undefined
  // More than one may come, for what is still being packed when the answer is there already.
  packed.tar.on('error', (error) => (failure ??= error))
  try {
    const answer = await send(where, {
      ...{ method: 'POST', path: `/v1/cp?${query.toString()}`, accept: 'application/json', stream: packed.tar },
      ...{ signal: options.signal, timeout: silence },
    })
    tellLeft(left, streams.stderr)
    return show((await readJson(answer)) as Reply, options, streams)
  } catch (error) {
    throw failure ?? error
  } finally {
    packed.tar.destroy()
  }
}

async function copyOut(where: Where, { from, to, flags }: Copy, options: Options, streams: Streams): Promise<number> {
  if (to === '-' && (streams.stdout as Writable & { isTTY?: boolean }).isTTY)
    throw new Error('A tar would be printed here; send it to a file or a program.')
  const body = { source: from, target: '-', ...flags }
  const answer = await send(where, {
    ...{ method: 'POST', path: '/v1/cp', accept: 'application/x-tar', body },
    ...{ signal: options.signal, timeout: silence },
  })
  if (!answer.headers['content-type']?.startsWith('application/x-tar'))
    return show((await readJson(answer)) as Reply, options, streams)
  if (to === '-') {
    await pipeline(answer, streams.stdout, { end: false }).catch((cause: unknown) => {
      throw new Error('The copy was cut short; what has been written is no whole tar.', { cause })
    })
    return 0
  }
  const { at, left } = await unpack(answer, to, nameOf(from.slice(from.indexOf(':') + 1)))
  tellLeft(left, streams.stderr)
  const text = left.length > 0 ? `Copied ${from} to ${at}, but for what is named above.` : `Copied ${from} to ${at}.`
  if (options.json) streams.stdout.write(`${JSON.stringify({ text, tone: 'ok', data: { at, left } })}\n`)
  else streams.stderr.write(`${printable(text)}\n`)
  return left.length > 0 ? 1 : 0
}

/** Names what was not copied, some of it. */
export function tellLeft(left: readonly string[], stderr: Writable): void {
  for (const path of left.slice(0, 20)) stderr.write(`Left out: ${printable(path)}\n`)
  if (left.length > 20) stderr.write(`Left out: ${left.length - 20} more.\n`)
}

function show(reply: Reply, { json }: Options, { stdout, stderr }: Streams): number {
  if (json) stdout.write(`${printable(JSON.stringify(reply, null, 2))}\n`)
  if (reply.error) {
    stderr.write(`${json ? printable(reply.text) : toText(reply)}\n`)
    return exitCodes[reply.error] ?? 1
  }
  if (!json) stdout.write(`${toText(reply)}\n`)
  return 0
}
