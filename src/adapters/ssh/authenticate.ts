import type { AuthContext, Connection, PublicKeyAuthContext } from 'ssh2'
import type { Door } from '../../core/door/door.ts'
import type { Admission } from '../../core/door/login.ts'
import { DcmError } from '../../core/reply/error.ts'
import type { Log } from '../../core/model/log.ts'
import { banner } from './told.ts'
import { acceptable, proves } from './verify.ts'

/** Somebody who was let in. */
export type Admitted = Extract<Admission, { container: string | null }>

export type AuthDeps = {
  door: Door
  log: Log
  /** Tries that a connection has. */
  tries: number
  /** Milliseconds that a refusal takes. */
  patience(address: string): number
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, ms)))

/**
 * Decides the login requests of one connection. Only public keys; every key of an accepted kind is asked to prove
 * itself, so that nobody learns which are known; and whoever is refused is refused in the same words and time.
 * `admit` is called before the client is told; what it throws refuses.
 */
export function authenticate(
  client: Connection,
  address: string,
  deps: AuthDeps,
  admit: (who: Admitted) => Promise<void>,
): void {
  const { door, log } = deps
  let [failed, asked, decided] = [0, 0, false]

  async function refuse(context: AuthContext, since: number, why: string | null): Promise<void> {
    failed++
    await sleep(deps.patience(address) - (performance.now() - since))
    if (why !== null) banner(client, why)
    context.reject(['publickey'])
    if (failed >= deps.tries) client.end()
  }

  async function decide(context: PublicKeyAuthContext, since: number): Promise<void> {
    // The identity is that of the request that carries the signature, whatever was asked about before.
    const { username, signature, blob } = context
    const { algo: type, data: key } = context.key
    const hash = (context as { hashAlgo?: string }).hashAlgo
    if (!acceptable({ type, blob: key, hash })) return refuse(context, since, null)
    if (!signature || !blob) return void context.accept()
    const proved = proves({ type, blob: key, hash, signature, data: blob })
    const admission = await door.login({ name: username, key: { type, blob: Buffer.from(key) }, proved, address })
    if ('refused' in admission) return refuse(context, since, admission.why)
    if (!proved || decided) return refuse(context, since, null)
    decided = true
    try {
      await admit(admission)
    } catch (error) {
      decided = false
      if (!(error instanceof DcmError)) throw error
      return refuse(context, since, error.message)
    }
    context.accept()
  }

  client.on('authentication', (context) => {
    const since = performance.now()
    // "none" asks what there is (RFC 4252 section 5.2) and is no try.
    if (context.method === 'none') return context.reject(['publickey'])
    if (++asked > deps.tries * 10 || context.method !== 'publickey')
      return void refuse(context, since, null).catch(() => client.end())
    decide(context, since).catch((error: unknown) => {
      if (!(error instanceof DcmError)) log.error({ err: error, address }, 'a login broke')
      refuse(context, since, error instanceof DcmError ? error.message : null).catch(() => client.end())
    })
  })
}
