import { plain } from '../../core/reply/text.ts'

/** Cuts text to so many characters and says so by a mark; neither half a character nor a lone backslash is left at its end. */
export function cut(text: string, most: number, mark = '…'): string {
  if (text.length <= most) return text
  let end = Math.max(0, most - mark.length)
  if (/[\ud800-\udbff]/.test(text[end - 1] ?? '')) end--
  const kept = text.slice(0, end)
  const slashes = /\\+$/.exec(kept)?.[0].length ?? 0
  return (slashes % 2 === 1 ? kept.slice(0, -1) : kept) + mark
}

/**
 * Text of members and containers as Discord shows it letter by letter: no mention, link, mark-up or control character
 * gets through. Discord's Markdown takes a backslash before anything that is neither letter, digit nor space.
 */
export const escape = (text: string): string =>
  plain(text)
    .replace(/[\\`*_~|<>[\]@#]/g, '\\$&')
    .replace(/^([^\S\n]*)([-+]|\d+\.)(?=\s)/gm, '$1\\$2')
    // An address is made a link, and an invitation is shown as a card, wherever they stand.
    .replace(/\/(?=\/)|(?<=\/)\//g, '\\/')
    .replace(/(discord(?:app)?\.(?:gg|com))\//gi, '$1\\/')

/** One line that can be copied as it is. */
export function span(text: string): string {
  const line = plain(text).replace(/(?<!\s)\s*\n\s*/g, ' ')
  if (!line.includes('`')) return `\`${line}\``
  return line.includes('``') ? escape(line) : `\`\` ${line} \`\``
}

/** Whether Markdown would touch it, so that it is better shown as code. */
export const touchy = (text: string): boolean => /[\\`*_~|<>[\]@#]|\/\//.test(text) && !text.includes('\n')

/** Preformatted text. Three backquotes inside it would end it, so something invisible comes between them. */
export const block = (text: string): string => `\`\`\`\n${plain(text).replace(/`(?=``)/g, '`\u200b')}\n\`\`\``
