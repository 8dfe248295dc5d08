import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of an argument that is read from somewhere. */
export const mostText = 512 * 1024
export const tooLong = (shown: string) =>
  new Error(`${shown} is larger than ${mostText / 1024}k; that is too long for an argument.`)

/** Reads some, or at the end nothing; waits for a pipe, which Node has made one that does not. */
export function readSome(file: number, chunk: Uint8Array, most: number): number {
  for (;;)
    try {
      return readSync(file, chunk, 0, most, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
}

/** Reads a whole file, or what is piped in (`-`), as text. @throws Error with a sentence for the caller */
function read(name: string): string {
  const shown = name === '-' ? 'standard input' : name
  const chunks: Buffer[] = []
  let size = 0
  let file: number | undefined
  try {
    file = name === '-' ? 0 : openSync(name, 'r')
    for (;;) {
      const chunk = Buffer.alloc(64 * 1024)
      const got = readSome(file, chunk, chunk.length)
      if (got === 0) break
      size += got
      if (size > mostText) throw tooLong(shown)
      chunks.push(chunk.subarray(0, got))
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    const why =
      code === 'ENOENT'
        ? `there is no such file${/^[\w-]+$/.test(name) ? '; @NAME is a file here, and an account of a chat is written like slack:WORKSPACE/USER' : ''}`
        : code === 'EACCES'
          ? 'it is not yours to read'
          : code === 'EISDIR'
            ? 'it is a folder'
            : code
    throw new Error(`${shown} cannot be read: ${why}.`, { cause: error })
  } finally {
    if (file !== undefined && file > 0) closeSync(file)
  }
  return textOf(Buffer.concat(chunks), shown)
}

/** What an argument may be, of the bytes that stand for it. @throws Error with a sentence for the caller */
export function textOf(bytes: Uint8Array, shown: string): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Error(`${shown} is not text.`, { cause })
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new Error(`${shown} is a private key, which nobody should be sent; give the file that ends in .pub.`)
  return text.replace(/\r?\n$/, '')
}

function value(text: string, home: string): string {
  if (text === '-') return read('-')
  if (text.startsWith('@@')) return text.slice(1)
  if (text.length > 1 && text.startsWith('@'))
    return read(text.startsWith('@~/') ? join(home, text.slice(3)) : text.slice(1))
  return text
}

/** What names a time table in crontab(5), and no file. */
const timetable = /^@(?:reboot|hourly|daily|midnight|weekly|monthly|yearly|annually)$/i

/**
 * Puts the contents of files in the place of `@FILE` and `-`, also in `--flag=@FILE`; `@@x` is `@x` itself. What comes
 * after `--` is a command for a container and stays as it is. The service never opens a path that a caller named.
 * @throws Error with a sentence for the caller
 */
export function readValues(words: readonly string[], home: string): string[] {
  const end = words.indexOf('--')
  return words.map((word, at) => {
    if (words[0] === 'schedule' && timetable.test(word)) return word
    if (end >= 0 && at >= end) return word
    const flag = /^(--[a-z][a-z0-9-]*=)(@.+|-)$/is.exec(word)
    return flag ? flag[1]! + value(flag[2]!, home) : value(word, home)
  })
}
