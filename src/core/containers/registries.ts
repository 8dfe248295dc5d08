import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import { HostError } from '../host/fault.ts'
import type { Credential } from '../model/registry.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { plain } from '../reply/text.ts'
import { DcmError } from '../reply/error.ts'
import type { Tables } from '../store/store.ts'
import { violated } from '../store/db.ts'

const row = (ownerId: string, registry: string) => `registry:${ownerId}:${registry}`

/** @throws DcmError `denied` unless admins allow exactly this registry */
export async function checkAllowed(tx: Pick<Tables, 'registries'>, registry: string): Promise<void> {
  const all = (await tx.registries.list()).map((one) => one.host)
  if (all.includes(registry)) return
  const hint = all.length > 0 ? `these are: ${all.slice(0, 5).join(', ')}` : 'none is yet'
  throw new DcmError('denied', `Admins do not allow the registry ${registry} here; ${hint}.`, { try: 'registry ls' })
}

/** What a member logs in to a registry with; null where they have not. Read for each call, and kept nowhere. */
export async function credentialOf(
  { store, seal }: Pick<Works, 'store' | 'seal'>,
  ownerId: string,
  registry: string,
): Promise<Credential | null> {
  await checkAllowed(store, registry)
  const login = await store.registries.login(ownerId, registry)
  if (!login) return null
  try {
    return JSON.parse(seal.open(login.sealed, row(ownerId, registry))) as Credential
  } catch (cause) {
    throw new DcmError('conflict', `Your login to ${registry} does not open any more; log in again.`, {
      ...{ cause, try: `registry login ${registry} --user ${login.username}` },
    })
  }
}

/** Puts what a registry said no with into words; anything else stays as it is. */
export function beyond(error: unknown, registry: string): Error {
  if (!(error instanceof HostError)) return error instanceof Error ? error : new Error(String(error))
  if (error.reason === undefined || error.fault === 'full') return error
  if (
    /no such host|connection refused|i\/o timeout|no route to host|network is unreachable|TLS handshake timeout/i.test(
      error.reason,
    )
  )
    return new DcmError('conflict', `${registry} cannot be reached from this machine.`, { cause: error })
  const said = `${registry} could not do that: ${[...plain(error.reason).replace(/\s+/g, ' ')].slice(0, 300).join('')}.`
  const login = { cause: error, try: `registry login ${registry} --user NAME` }
  if (/unauthor|denied|no basic auth|authentication|incorrect username|insufficient_scope/i.test(error.reason))
    return new DcmError('denied', said, login)
  const absent = error.status === 404 || /manifest unknown|not found|name unknown/i.test(error.reason)
  return new DcmError(absent ? 'not_found' : 'conflict', said, { cause: error })
}

/** Registries as a caller sees them: those that admins allow, and the caller's own logins. */
export function createRegistries(works: Works): (caller: Caller) => Context['registries'] {
  const { store, seal, settings } = works
  return ({ person }) => ({
    async list() {
      const mine = new Map((await store.registries.logins(person.id)).map((login) => [login.registry, login]))
      return (await store.registries.list()).map(({ host, addedBy }) => {
        const login = mine.get(host)
        return { host, addedBy, username: login?.username ?? null, since: login?.createdAt ?? null }
      })
    },
    async login(registry, username, password) {
      await checkAllowed(store, registry)
      const credential = await works
        .host(settings.hostId)
        .engine.login(registry, { username, password })
        .catch((error: unknown) => Promise.reject(explain(beyond(error, registry))))
      const sealed = seal.seal(JSON.stringify(credential), row(person.id, registry))
      await store.registries
        .setLogin({ ownerId: person.id, registry, username, sealed })
        .catch(async (error: unknown) => {
          // Disallowed while the registry was asked.
          if (violated(error)) await checkAllowed(store, registry)
          throw error
        })
    },
    async logout(registry) {
      if (!(await store.registries.removeLogin(person.id, registry)))
        throw new DcmError('not_found', `You are not logged in to ${registry}.`, { try: 'registry ls' })
    },
    allow: (host) => store.registries.add({ host, addedBy: person.name }),
    async disallow(host) {
      const logins = await store.tx((tx) => tx.registries.remove(host))
      if (logins === undefined)
        throw new DcmError('not_found', `The registry ${host} is not allowed as it is.`, { try: 'registry ls' })
      return logins
    },
  })
}
