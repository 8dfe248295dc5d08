import { DcmError } from '../reply/error.ts'

const longest = 65_536

/**
 * Undoes what chat clients and phones do to typed text: curly quotes, a dash fused from `--`, links made of names,
 * invisible and wide spaces, and bold or code marks around the line or a word of it. What runs inside a container (all
 * after ` -- `) keeps its asterisks and backquotes.
 */
export function untypeset(line: string): string {
  const text = line
    .replace(/[\u201c\u201d\u201e\u201f\u00ab\u00bb]/g, '"')
    .replace(/[\u2018\u2019\u201a\u201b]/g, "'")
    .replace(/[\u200b\u2060\ufeff]/g, '')
    .replace(/[\u00a0\u2007\u202f\u3000]/g, ' ')
    .replace(/\u2212/g, '-')
    .replace(/(^|\s)[\u2012-\u2015](?=[a-z])/gi, '$1--')
    .replace(/(^|\s)[\u2012-\u2015](?=\s|$)/g, '$1--')
    .replace(/<(?:https?:\/\/|mailto:|tel:)[^|<>\s]*\|([^<>]*)>/g, '$1')
    .replace(/<(https?:\/\/[^|<>\s]*)>/g, '$1')
    .trim()
    .replace(/^(\*{1,2}|`{1,3}|_)(.*\S\s*)\1$/s, '$2')
    .trim()
    .replace(/^\/?dcm(?:\s+|$)/i, '')
  const inside = /\s--(?:\s|$)/.exec(text)?.index ?? text.length
  const own = text.slice(0, inside).replace(/(^|\s)(\*{1,2}|`)([a-z0-9][^\s*`]*)\2(?=\s|$)/gi, '$1$3')
  return own + text.slice(inside)
}

/**
 * Splits a line into words as a POSIX shell quotes them (XCU section 2.2), and does nothing else that a shell does. An
 * own one, because shlex 3.0.0 reads escapes anew over the whole word at each closing quote.
 * @throws DcmError `usage` for a quote that is not closed
 */
export function splitWords(line: string): string[] {
  if (line.length > longest) throw new DcmError('usage', `That line is longer than ${longest} characters.`)
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (char === '\\' && quote !== "'") {
      const next = line[++at]
      if (next === undefined) throw new DcmError('usage', 'That line ends in a backslash; write \\\\ for one.')
      const kept = quote === '"' && !'$`"\\\n'.includes(next)
      word = `${word ?? ''}${kept ? char : ''}${next === '\n' ? '' : next}`
    } else if (quote !== '') {
      if (char === quote) quote = ''
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (' \t\r\n'.includes(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = `${word ?? ''}${char}`
  }
  if (quote !== '') throw new DcmError('usage', 'A quote in that line is not closed; put "..." around the whole value.')
  if (word !== undefined) words.push(word)
  return words
}
