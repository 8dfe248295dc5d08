import { pino } from 'pino'
import type { Log } from './core/model/log.ts'

const secretNames = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'privateKey',
  'hostKey',
  'env',
  'databaseUrl',
  // What a failed query was given.
  'params',
]

// What JSON leaves as it is and a terminal or a line reader acts on: DEL, C1, line separators, and bidi controls (UAX #9).
const unsafe = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g

const secrets: [RegExp, string][] = [
  // A failed query names its parameters in its message and so in its stack.
  [/(\\nparams: )(?:[^"\\]|\\(?!n)[^])*/g, '$1[redacted]'],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+/gi, '$1 [redacted]'],
  [/\bdcm[a-z]*_[A-Za-z0-9_-]{16,}/g, '[redacted]'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))/g, '[redacted]'],
  [/(\b[a-z][a-z+]{0,20}:\/\/[^\s:/@"\\]*):[^\s/@"\\]+@/gi, '$1:[redacted]@'],
]

/** Cleans one finished line: all of this can only stand inside a JSON string, where an escape means the same. */
function clean(line: string): string {
  let safe = line.replace(unsafe, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  for (const [pattern, instead] of secrets) safe = safe.replace(pattern, instead)
  return safe
}

/** Makes the log: one JSON object a line, never a secret, nothing that a terminal or a line reader would act on. `write` gets whole lines, with the newline; standard error when absent, for people read standard output. */
export function createLog(options: { level?: string; write?: (line: string) => void } = {}): Log {
  const out = options.write ? { write: options.write } : pino.destination({ fd: 2, sync: true })
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.errWithCause, error: pino.stdSerializers.errWithCause },
    },
    { write: (line: string) => void out.write(clean(line)) },
  ) as Log
}
