import { DcmError } from '../../core/reply/error.ts'

const deepest = 32
const bad = (sentence: string, cause?: unknown) => new DcmError('usage', sentence, { cause })

/**
 * Refuses what two readers of the same JSON could understand differently or choke on: a key given twice, `__proto__`,
 * and more than 32 levels. Text that is not JSON at all is left to the parser.
 */
function scan(text: string): void {
  const open: { keys: Set<string> | undefined; atKey: boolean }[] = []
  for (let at = 0; at < text.length; at++) {
    const top = open.at(-1)
    switch (text.charAt(at)) {
      case '{':
      case '[':
        if (open.length === deepest) throw bad(`The JSON is nested deeper than ${deepest} levels.`)
        open.push(text[at] === '{' ? { keys: new Set(), atKey: true } : { keys: undefined, atKey: false })
        break
      case '}':
      case ']':
        open.pop()
        break
      case ',':
        if (top?.keys) top.atKey = true
        break
      case '"': {
        const from = at++
        while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
        if (!top?.keys || !top.atKey) break
        const key = String(JSON.parse(text.slice(from, at + 1)))
        if (key === '__proto__') throw bad('The JSON has a key "__proto__", which is not an argument.')
        if (top.keys.has(key)) throw bad(`The JSON has the key "${key.slice(0, 60)}" twice.`)
        top.keys.add(key)
        top.atKey = false
        break
      }
      default:
    }
  }
}

/** Reads a JSON object strictly; nothing at all is an empty one. @throws DcmError `usage` */
export function readObject(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    scan(text)
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof DcmError) throw error
    throw bad('The body is not valid JSON.', error)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad('The body must be a JSON object of arguments by name, like {"name": "web"}.')
  return value as Record<string, unknown>
}
