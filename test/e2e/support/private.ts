import { createDatabase, query } from '../../setup/postgres.ts'
import { ask } from '../../setup/engine.ts'
import { type PrivateEngine, type PrivateOptions, startPrivateEngine } from '../../setup/private-engine.ts'
import { type Dcm, type DcmOptions, startDcm } from './dcm.ts'
import { ensureKept, kept } from './images.ts'

/** A DCM over an engine that a test may stop, kill, freeze and fill up; its PostgreSQL is the tests' own. */
export type Isolated = AsyncDisposable & {
  engine: PrivateEngine
  dcm: Dcm
  sql(statement: string): ReturnType<typeof query>
  /** Ends a container from outside, as an operator with the docker client would. */
  docker(method: string, name: string, action: string): Promise<void>
}

/**
 * The environment that reaches a PostgreSQL of this machine from within another network: by the server's own socket.
 * https://www.postgresql.org/docs/current/libpq-envars.html
 */
async function bySocket(url: string): Promise<Record<string, string>> {
  const [row] = await query(url, 'show unix_socket_directories')
  const { username, password, port, pathname } = new URL(url)
  return {
    DATABASE_URL: `postgres://${pathname}`,
    PGHOST: row!['unix_socket_directories'] as string,
    PGPORT: port,
    PGUSER: username,
    PGPASSWORD: password,
  }
}

/** Starts a private engine with the offered Debian on it, and a DCM over it. `dockerHost`: a proxy in front of it. */
export async function startIsolated(
  options: PrivateOptions & { before?: (engine: PrivateEngine) => Promise<Partial<DcmOptions>> } = {},
): Promise<Isolated> {
  await using stack = new AsyncDisposableStack()
  await ensureKept()
  const engine = stack.use(await startPrivateEngine({ ...options, images: [kept] }))
  const database = stack.use(await createDatabase())
  const more = (await options.before?.(engine)) ?? {}
  const dcm = stack.use(
    await startDcm({
      engine: engine.socket,
      dockerHost: engine.socket,
      dataDir: engine.data,
      enter: engine.enter,
      databaseUrl: database.url,
      offers: { from: kept },
      ...more,
      env: { ...(await bySocket(database.url)), ...more.env },
    }),
  )
  const all = stack.move()
  const sql = (statement: string) => query(database.url, statement)
  return {
    engine,
    dcm,
    sql,
    async docker(method, name, action) {
      const [row] = await sql(`select engine_id from containers where name = '${name}'`)
      await ask(engine.socket, method, `/containers/${String(row!['engine_id'])}${action}`)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
