import { HostError, type HostFault } from '../fault.ts'

/** Faults told by the engine's words where its status alone would mislead; first match wins. */
const byWords: [RegExp, HostFault][] = [
  [/port is already allocated|address already in use|pool overlaps|is already in use by|already exists/i, 'taken'],
  [/has active endpoints|is using its referenced image|is being used by/i, 'taken'],
  [/no space left|max depth exceeded|quota exceeded|non-overlapping ipv4 address pool|cannot allocate memory/i, 'full'],
  [/context deadline exceeded|is shutting down/i, 'down'],
  // What the runtime says no to, a profile that lets nothing start for one, it says no to every time: that is no broken engine.
  [/oci runtime create failed|failed to create (?:shim )?task|cannot start a stopped process/i, 'refused'],
  // A start answers 404 for its network too: the container is not gone, the engine just cannot start it.
  [/network \S+ not found/i, 'refused'],
]

const byStatus = (status: number): HostFault => {
  if (status === 404) return 'gone'
  if (status === 409) return 'taken'
  if (status === 502 || status === 503 || status === 504) return 'down'
  if (status >= 500) return 'broken'
  return 'refused'
}

/** Turns an answer that is no success into the fault that the core knows. `body` is the raw text, JSON or not. */
export function answered(status: number, body: string, what: string): HostError {
  let message = ''
  try {
    const json: unknown = JSON.parse(body)
    if (typeof json === 'object' && json !== null && 'message' in json) message = String(json.message)
  } catch {
    message = ''
  }
  const fault = byWords.find(([words]) => words.test(message))?.[1] ?? byStatus(status)
  return new HostError(fault, `The engine answered ${what} with ${status}${message ? `: ${tidy(message)}` : ''}.`, {
    status,
  })
}

/** Turns whatever a call failed with before an answer was read into a HostError; a HostError stays as it is. */
export function failed(error: unknown, what: string): HostError {
  if (error instanceof HostError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('HPE_'))
    return new HostError('broken', `The engine's answer to ${what} is not HTTP.`, { cause: error })
  const why = error instanceof Error ? code || error.message : String(error)
  return new HostError('down', `The engine cannot be reached for ${what} (${tidy(why)}).`, { cause: error })
}

/** An answer that came in time but is not what the Engine API says it is. */
export const malformed = (what: string): HostError =>
  new HostError('broken', `The engine's answer to ${what} cannot be read.`)

/** One line without control characters, short enough for a log, and without the full stop that the sentence adds. */
export const tidy = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 400)
    .replace(/\.+$/, '')
