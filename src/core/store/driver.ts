import { registerHooks } from 'node:module'
import type postgres from 'postgres'

/**
 * What postgres 3.4.9 does wrong once a connection is lost (porsager/postgres issues 1154 and 1208 are two of these): each is
 * one place of a file, said by what is there now and what has to be.
 */
const mends: Readonly<Record<string, readonly (readonly [is: string, shall: string])[]>> = {
  'connection.js': [
    // A statement of a transaction is written to no socket, which ends the process.
    [
      '    if (stream)\n      return queryError(q, Errors',
      "    if (!socket)\n      return queryError(q, Errors.connection('CONNECTION_CLOSED', options))\n\n    if (stream)\n      return queryError(q, Errors",
    ],
    // One that was closed while something waited to be written never writes again.
    [
      '  function nextWrite(fn) {\n',
      '  function nextWrite(fn) {\n    if (!socket) {\n      chunk = nextWriteTimer = null\n      return false\n    }\n',
    ],
    [
      '    incomings = null\n    clearImmediate(nextWriteTimer)\n',
      '    incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n',
    ],
    // What is asked between a socket's error and its end is never answered, and the server's last word to one statement is
    // given to the first one after it has dialled again.
    [
      "    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))\n",
      "    ;(query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))\n    query = results = errorResponse = null\n    result = new Result()\n",
    ],
  ],
  'index.js': [
    // What the work of a transaction still says after the loss, and the commit or rollback that ends it, are said on the
    // connection as it was dialled again, in the middle of somebody else's transaction.
    [
      '      , connection\n      , prepare = null\n',
      '      , connection\n      , lost = null\n      , prepare = null\n',
    ],
    ['connection.onclose = reject)', 'connection.onclose = e => (lost = e, reject(e)))'],
    [
      '        q.catch(e => uncaughtError || (uncaughtError = e))\n',
      '        q.catch(e => uncaughtError || (uncaughtError = e))\n        if (lost)\n          return q.reject(lost)\n',
    ],
  ],
}

/** @throws Error when the file is another than the one that was looked at */
function mended(name: string, source: string): string {
  for (const [is, shall] of mends[name]!) {
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
      const name = /\/postgres\/src\/([^/]+)$/.exec(url)?.[1] ?? ''
      if (!Object.hasOwn(mends, name)) return loaded
      const { source } = loaded
      return {
        ...loaded,
        source: mended(name, typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()),
      }
    },
  })
  try {
    return (await import('postgres')).default
  } finally {
    hooks.deregister()
  }
}
