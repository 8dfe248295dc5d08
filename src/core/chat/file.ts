/** A file that somebody sent to the bot; `at` is what the adapter needs to fetch it. */
export type ChatFile = { name: string; size: number; at: string }

/** Bytes that a file from a chat may have. */
export const largestFile = 20 * 2 ** 20

/** What a file may be called inside: no part of a path, and nothing that a shell or a program would take for an option. */
export function cleanName(name: string): string {
  const clean = (name.split(/[/\\]/).at(-1) ?? '')
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}"'`$&|;<>*?:]/gu, '_')
    .replace(/^[.\s-]+/, '')
    .trim()
  let short = ''
  for (const char of clean) if (Buffer.byteLength(short + char) <= 96) short += char
  return short === '' ? 'file' : short
}

/** A tar of one file, in the form that every tar reads (POSIX.1-1988 ustar). @throws Error when there is more or less of it than was said */
export async function* tarOf(name: string, size: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head = Buffer.alloc(512)
  const octal = (value: number, at: number, length: number) =>
    void head.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
  head.write(name, 0, 100, 'utf8')
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(Math.floor(Date.now() / 1000), 136, 12)
  head.write('        0', 148, 'latin1')
  head.write('ustar\0' + '00', 257, 'latin1')
  let sum = 0
  for (const byte of head) sum += byte
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  yield head
  let left = size
  for await (const piece of bytes) {
    if ((left -= piece.byteLength) < 0) throw new Error('more of the file came than was announced')
    yield piece
  }
  if (left > 0) throw new Error('less of the file came than was announced')
  yield Buffer.alloc(1024 + ((512 - (size % 512)) % 512))
}
