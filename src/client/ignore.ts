/** Whether a path below the folder is left out; `within`: nothing in that folder can be brought back by a later line. */
export type Ignore = { file(path: string): boolean; within(path: string): boolean }

type Matches = (path: string) => boolean
type Rule = { keeps: boolean; matches: Matches }

/** A part of a pattern: what one character has to be, or how any number of them may go by. */
type Part = RegExp | 'within a name' | 'anything' | 'folders or none' | 'folders'

/** Go's filepath.Match, with `**` for any number of folders. */
function partsOf(text: string): Part[] {
  const parts: Part[] = []
  // Of the same one twice, the second adds nothing.
  const wild = (...part: Part[]) => {
    if (parts.at(-1) !== part.at(-1)) parts.push(...part)
  }
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '*' && text[at + 1] === '*') {
      at++
      if (text[at + 1] === '/') at++
      if (text[at] === '*' && at + 1 === text.length) wild('anything')
      else wild('folders or none', 'folders')
    } else if (char === '*') wild('within a name')
    else if (char === '?') parts.push(/[^/]/)
    else if (char === '[') {
      const inner = /^\[\^?(?:\\.|[^\]\\])+\]/.exec(text.slice(at))?.[0]
      if (!inner) throw new Error(`"${text.slice(0, 60)}" in .dockerignore is no pattern: a [ is not closed.`)
      parts.push(
        new RegExp(
          inner.replace(/\/|[[&~]/g, (one, from: number) => (from === 0 ? one : `\\${one}`)),
          's',
        ),
      )
      at += inner.length - 1
    } else {
      const exactly = char === '\\' && at + 1 < text.length ? text[++at]! : char
      parts.push(new RegExp(exactly.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'), 's'))
    }
  }
  return parts
}

/** Keeps all places in the pattern where a path may be, so that no pattern takes longer than its length times the path's. */
function matcher(parts: readonly Part[]): Matches {
  const reach = (places: Set<number>, place: number) => {
    if (places.has(place)) return
    places.add(place)
    const part = parts[place]
    if (part === 'within a name' || part === 'anything' || part === 'folders or none') reach(places, place + 1)
    if (part === 'folders or none') reach(places, place + 2)
  }
  return (path) => {
    let places = new Set<number>()
    reach(places, 0)
    for (let at = 0; at < path.length && places.size > 0; at++) {
      const char = path[at]!
      const next = new Set<number>()
      for (const place of places) {
        const part = parts[place]
        if (part === 'anything' || part === 'folders' || (part === 'within a name' && char !== '/')) reach(next, place)
        if (part === 'folders' ? char === '/' : part instanceof RegExp && part.test(char)) reach(next, place + 1)
      }
      places = next
    }
    return places.has(parts.length)
  }
}

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
    if (parts.length > 0) rules.push({ keeps, matches: matcher(partsOf(parts.join('/'))) })
  }
  const file = (path: string): boolean => {
    const parts = path.split('/')
    const all = parts.map((_, at) => parts.slice(0, at + 1).join('/'))
    const last = rules.findLast(({ matches }) => all.some(matches))
    return last !== undefined && !last.keeps
  }
  const brings = rules.some((rule) => rule.keeps)
  return { file, within: (path) => !brings && file(path) }
}
