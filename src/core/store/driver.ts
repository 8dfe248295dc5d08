import { registerHooks } from 'node:module'
import type postgres from 'postgres'

/**
 * What postgres 3.4.9 does wrong once the server is gone (porsager/postgres issues 1154 and 1208): a statement of a
 * transaction is then written to no socket, which ends the process, and a connection that was closed while something waited
 * to be written never writes again. Each is one place of its file, said by what is there now and what has to be.
 */
const mends: readonly (readonly [string, string])[] = [
  [
    '    if (stream)\n      return queryError(q, Errors',
    "    if (!socket)\n      return queryError(q, Errors.connection('CONNECTION_CLOSED', options))\n\n    if (stream)\n      return queryError(q, Errors",
  ],
  [
    '  function nextWrite(fn) {\n',
    '  function nextWrite(fn) {\n    if (!socket) {\n      chunk = nextWriteTimer = null\n      return false\n    }\n',
  ],
  [
    '    incomings = null\n    clearImmediate(nextWriteTimer)\n',
    '    incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n',
  ],
]

/** @throws Error when the file is another than the one that was looked at */
function mended(source: string): string {
  for (const [is, shall] of mends) {
    if (source.split(is).length !== 2) throw new Error('Another postgres is installed than driver.ts mends.')
    source = source.replace(is, () => shall)
  }
  return source
}

/** Loads the driver for PostgreSQL, mended, unless something else has loaded it in this process before. */
export async function loadDriver(): Promise<typeof postgres> {
  const hooks = registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      if (!url.endsWith('/postgres/src/connection.js')) return loaded
      const { source } = loaded
      return {
        ...loaded,
        source: mended(typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()),
      }
    },
  })
  try {
    return (await import('postgres')).default
  } finally {
    hooks.deregister()
  }
}
