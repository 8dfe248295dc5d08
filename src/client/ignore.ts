/** Whether a path below the folder is left out; `within`: nothing in that folder can be brought back by a later line. */
export type Ignore = { file(path: string): boolean; within(path: string): boolean }

type Rule = { keeps: boolean; pattern: RegExp }

/** Of Go's filepath.Match, with `**` for any number of folders, as a whole path. */
function patternOf(text: string): RegExp {
  let source = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '*' && text[at + 1] === '*') {
      at++
      if (text[at + 1] === '/') at++
      source += text[at + 1] === undefined && text[at] === '*' ? '.*' : '(?:.*/)?'
    } else if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const end = text.indexOf(']', at + 1)
      const inner = /^\[\^?(?:\\.|[^\]\\])+\]/.exec(text.slice(at))?.[0]
      if (end < 0 || !inner)
        throw new Error(`"${text.slice(0, 60)}" in .dockerignore is no pattern: a [ is not closed.`)
      source += inner.replace(/\/|[[&~]/g, (one, from: number) => (from === 0 ? one : `\\${one}`))
      at += inner.length - 1
    } else if (char === '\\' && at + 1 < text.length) source += escape(text[++at]!)
    else source += escape(char)
  }
  return new RegExp(`^${source}$`, 's')
}

const escape = (char: string) => char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')

/**
 * Reads a `.dockerignore`: the last line that a path, or a folder that it is in, matches says whether it is left out.
 * Docker docs, "Build context", ".dockerignore files".
 * @throws Error with a sentence
 */
export function readIgnore(text: string): Ignore {
  const rules: Rule[] = []
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const keeps = line.trim().startsWith('!')
    const parts: string[] = []
    for (const part of line.trim().replace(/^!\s*/, '').split('/')) {
      if (part === '..') parts.pop()
      else if (part !== '' && part !== '.') parts.push(part)
    }
    if (parts.length > 0) rules.push({ keeps, pattern: patternOf(parts.join('/')) })
  }
  const file = (path: string): boolean => {
    const parts = path.split('/')
    const all = parts.map((_, at) => parts.slice(0, at + 1).join('/'))
    const last = rules.findLast(({ pattern }) => all.some((one) => pattern.test(one)))
    return last !== undefined && !last.keeps
  }
  const brings = rules.some((rule) => rule.keeps)
  return { file, within: (path) => !brings && file(path) }
}
