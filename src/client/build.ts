import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { type Ignore, readIgnore } from './ignore.ts'
import type { Upload } from './outcome.ts'
import { pack } from './pack.ts'
import { mostText, readSome, readValues, textOf, tooLong } from './values.ts'

/** What may be given with a value, as docker build has it or as DCM has; by the name that the service knows it under. */
const valued: Record<string, string> = {
  ...{ '-t': 'image', '--tag': 'image', '-f': 'file', '--file': 'file', '-m': 'memory', '--memory': 'memory' },
  ...{ '--cpus': 'cpus', '--pids-limit': 'pids-limit', '--timeout': 'timeout', '--build-arg': 'build-arg' },
  ...{ '--context': 'context', '--as': 'as', '--wait': 'wait' },
}

type Flag = [name: string, value: string]

/** The words of a build, or undefined where one is none that is known here: the service has better words for that. */
function read(words: readonly string[]): { places: string[]; flags: Flag[] } | undefined {
  const [places, flags]: [string[], Flag[]] = [[], []]
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const [, name, inline] = /^(--[a-z-]+|-[a-z])(?:=?([\s\S]+))?$/.exec(word) ?? []
    if (name === undefined) places.push(word)
    else if (name === '--dry-run' && inline === undefined) flags.push(['dry-run', 'true'])
    else if (name === '--yes' && inline === undefined) continue
    else {
      const known = Object.hasOwn(valued, name) ? valued[name]! : undefined
      const value = inline ?? words[++at]
      if (known === undefined || value === undefined) return undefined
      if (known === 'image') places.unshift(value)
      else flags.push([known, value])
    }
  }
  return { places, flags }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** The Dockerfile by its path in the folder; `-f` names it from here, as with Docker, or from there. @throws Error with a sentence */
function fileIn(folder: string, named: string | undefined): string {
  const inside = (path: string) => path !== '' && !/^\.\.(?:\/|$)/.test(path)
  const here = named === undefined ? '' : relative(folder, resolve(named))
  const path = inside(here) && existsSync(join(folder, here)) ? here : (named ?? 'Dockerfile')
  if (!inside(relative(folder, join(folder, path))) || !existsSync(join(folder, path)))
    throw new Error(`There is no ${path} in ${folder}; name the Dockerfile there with -f.`)
  return path
}

/** What is not sent: the Dockerfile always is. Docker docs, "Build context", "Filename and location". */
function ignoreIn(folder: string, dockerfile: string): Ignore | undefined {
  const path = [`${dockerfile}.dockerignore`, '.dockerignore'].map((name) => join(folder, name)).find(existsSync)
  if (path === undefined) return undefined
  const { file, within } = readIgnore(readFileSync(path, 'utf8'))
  return {
    file: (one) => one !== dockerfile && file(one),
    within: (one) => !dockerfile.startsWith(`${one}/`) && within(one),
  }
}

const block = 512

/** Reads on from standard input until there are so many bytes, or its end. */
function readInput(head: Buffer, most: number): Buffer {
  const parts = [head]
  for (let size = head.length; size < most;) {
    const chunk = Buffer.alloc(64 * 1024)
    const got = readSome(0, chunk, Math.min(chunk.length, most - size))
    if (got === 0) break
    size += got
    parts.push(chunk.subarray(0, got))
  }
  return Buffer.concat(parts)
}

/** Whether bytes begin as a tar does. POSIX.1-2017, pax, "ustar Interchange Format". */
const isTar = (head: Buffer) => head.subarray(257, 262).toString('latin1') === 'ustar'

/**
 * What a build sends: a folder, without what its `.dockerignore` names, or the tar that is piped in.
 * @returns the upload, or the words for the service where nothing but words is sent
 * @throws Error with a sentence
 */
export async function readBuild(
  typed: readonly string[],
  from: { home: string; stdin: Readable; left(path: string): void },
): Promise<Upload | string[]> {
  const known = typed.includes('--') ? undefined : read(typed.slice(1))
  if (!known) return [...typed]
  const { places, flags } = known
  const [image, what, ...more] = places
  const line = [
    ...places,
    ...flags.flatMap(([name, value]) => (name === 'dry-run' ? ['--dry-run'] : [`--${name}`, value])),
  ]
  const words = ['build', ...line]
  if (image === undefined || what === undefined || more.length > 0) return words
  const named = flags.find(([name]) => name === 'file')?.[1]
  if (what === '-') {
    const head = readInput(Buffer.alloc(0), block)
    if (isTar(head)) {
      const piped = async function* () {
        yield head
        yield* from.stdin
      }
      return { ...callOf(image, flags, from.home), tar: Readable.from(piped(), { objectMode: false }) }
    }
    // RFC 1952 section 2.3.1.
    if (head[0] === 0x1f && head[1] === 0x8b) throw new Error('A compressed tar is not taken: put gunzip before dcm.')
    const all = readInput(head, mostText + 1)
    if (all.length > mostText) throw tooLong('standard input')
    const text = textOf(all, 'standard input')
    return words.map((word) => (word === '-' ? text.replace(/^@/, '@@') : word))
  }
  if (!isFolder(what)) {
    if (/^\.{0,2}\//.test(what) || what === '.' || what === '..')
      throw new Error(`${what} is no folder here; a Dockerfile alone is given as @FILE.`)
    return words
  }
  const folder = resolve(what)
  const dockerfile = fileIn(folder, named)
  const others = flags.filter(([name]) => name !== 'file')
  const call = callOf(image, [...others, ['file', dockerfile]], from.home)
  return { ...call, tar: (await pack(`${folder}/.`, from.left, ignoreIn(folder, dockerfile))).tar }
}

function callOf(image: string, flags: readonly Flag[], home: string): Omit<Upload, 'tar'> {
  const query = new URLSearchParams({ image, dockerfile: '-', wait: '300' })
  const values: string[] = []
  for (const [name, value] of flags) {
    const [read] = readValues([value], home) as [string]
    if (name === 'build-arg') values.push(read)
    else if (name === 'wait') query.set('wait', read)
    else query.append(name, read)
  }
  // Not in the address, which others on the way may keep.
  const hidden = JSON.stringify({ 'build-arg': values }).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  if (hidden.length > 12_000) throw new Error('The values of --build-arg are too long together; put them into files.')
  const headers: Record<string, string> = values.length > 0 ? { 'DCM-Arguments': hidden } : {}
  return { path: `/v1/build?${query.toString()}`, headers }
}
