/** What a value becomes once its variables are filled in, or why it cannot. */
export type Filled = { text: string } | { why: string }

const name = /^[A-Za-z_][A-Za-z0-9_]*/

/** Where the brace that opens at `from - 1` closes; -1 where it does not. */
function closing(text: string, from: number): number {
  let open = 1
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) open++
    else if (text[at] === '}' && --open === 0) return at
  }
  return -1
}

/**
 * Fills in variables as Compose does (Docker docs, "Interpolation"): `$NAME`, `${NAME}`, `${NAME:-default}` and the
 * others of that form; `$$` is `$`. The only values there are are those that came with the call: the service's own
 * environment is nobody's to read.
 */
export function fill(text: string, values: ReadonlyMap<string, string>, depth = 0): Filled {
  if (depth > 8) return { why: 'Its variables are nested too deeply.' }
  let filled = ''
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('$', at)
    if (next < 0) return { text: filled + text.slice(at) }
    filled += text.slice(at, next)
    if (text[next + 1] === '$') {
      filled += '$'
      at = next + 2
      continue
    }
    const braced = text[next + 1] === '{'
    const begin = next + (braced ? 2 : 1)
    const end = braced ? closing(text, begin) : -1
    const called = name.exec(text.slice(begin))?.[0]
    if (called === undefined || (braced && end < 0)) return { why: 'A $ in it begins no variable; write $$ for a $.' }
    const rest = braced ? text.slice(begin + called.length, end) : ''
    const got = valueOf(called, rest, values, depth)
    if ('why' in got) return got
    filled += got.text
    if (filled.length > 65_536) return { why: 'It is too long with its variables filled in.' }
    at = braced ? end + 1 : begin + called.length
  }
  return { text: filled }
}

function valueOf(called: string, rest: string, values: ReadonlyMap<string, string>, depth: number): Filled {
  const value = values.get(called)
  const form = /^(:?)([-?+])([\s\S]*)$/.exec(rest)
  if (rest !== '' && !form)
    return { why: `\${${called}${rest.slice(0, 20)}} is no form of variable that is known here.` }
  const there = value !== undefined && (form?.[1] !== ':' || value !== '')
  if (form?.[2] === '+') return there ? fill(form[3]!, values, depth + 1) : { text: '' }
  if (there) return { text: value }
  if (form?.[2] === '-') return fill(form[3]!, values, depth + 1)
  return { why: `The variable ${called} has no value; give it one with -e ${called}=VALUE.` }
}
