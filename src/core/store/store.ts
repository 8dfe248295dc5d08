import { DcmError } from '../reply/error.ts'
import { audit } from './audit.ts'
import { calls } from './calls.ts'
import { codes } from './codes.ts'
import { containers } from './containers.ts'
import { type Db, down, retryable, unreachable } from './db.ts'
import { grants } from './grants.ts'
import { deliveries, hooks } from './hooks.ts'
import { groups } from './groups.ts'
import { hosts } from './hosts.ts'
import { identities } from './identities.ts'
import { images } from './images.ts'
import { keys } from './keys.ts'
import { leases } from './leases.ts'
import type { Opened } from './open.ts'
import { networks } from './networks.ts'
import { operations } from './operations.ts'
import { outbox } from './outbox.ts'
import { people } from './people.ts'
import { ports } from './ports.ts'
import { registries } from './registries.ts'
import { noticed, requests } from './requests.ts'
import { schedules } from './schedules.ts'
import { secrets } from './secrets.ts'
import { sessions } from './sessions.ts'
import { shares } from './shares.ts'
import { site } from './site.ts'
import { tokens } from './tokens.ts'
import { volumes } from './volumes.ts'

const nouns = (db: Db) => ({
  people: people(db),
  keys: keys(db),
  tokens: tokens(db),
  grants: grants(db),
  groups: groups(db),
  site: site(db),
  hosts: hosts(db),
  images: images(db),
  registries: registries(db),
  containers: containers(db),
  schedules: schedules(db),
  shares: shares(db),
  secrets: secrets(db),
  ports: ports(db),
  volumes: volumes(db),
  networks: networks(db),
  operations: operations(db),
  leases: leases(db),
  calls: calls(db),
  codes: codes(db),
  sessions: sessions(db),
  identities: identities(db),
  outbox: outbox(db),
  requests: requests(db),
  notices: noticed(db),
  hooks: hooks(db),
  deliveries: deliveries(db),
  audit: audit(db),
})

/** The tables, noun by noun, inside one transaction. */
export type Tables = ReturnType<typeof nouns>

/**
 * What DCM remembers. Outside `tx` every method is a statement of its own. Either is run again when the database asks for
 * that. Every call has a deadline; a database that does not answer is a DcmError `unavailable`, and what its constraints
 * refuse is thrown as it is (`violated` names it).
 */
export type Store = Tables & {
  kind: Opened['kind']
  /** Runs `work` in one transaction. Only `tx` may be used inside. */
  tx<T>(work: (tx: Tables) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Makes a Store of an open database. @param deadline milliseconds that any call may take */
export function createStore(opened: Opened, deadline = 20_000): Store {
  let db = opened.db
  let current = nouns(db)
  let renewing: Promise<void> | undefined

  // A link that is stalled is silent: give its connections up and dial anew, once for however many calls hang on it.
  const renew = () =>
    (renewing ??= opened
      .renew()
      .then((fresh) => {
        db = fresh
        current = nouns(fresh)
      })
      .finally(() => {
        renewing = undefined
      }))

  async function bounded<T>(work: (call: { late: boolean }) => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const call = { late: false }
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        call.late = true
        void renew()
        reject(down(new Error(`no answer from the database in ${deadline} ms`)))
      }, deadline)
    })
    try {
      return await Promise.race([work(call), late])
    } catch (error) {
      throw !(error instanceof DcmError) && unreachable(error) ? down(error) : error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Anew when PostgreSQL has ended it in favour of another: of those that wait for each other it picks one, undone. */
  async function persistent<T>(work: (call: { late: boolean }) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await bounded(work)
      } catch (error) {
        if (tries >= 6 || !retryable(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, tries * 10 * (1 + (tries % 3))))
      }
    }
  }

  const tx = <T>(work: (tx: Tables) => Promise<T>): Promise<T> =>
    persistent((call) =>
      db.transaction(async (inner) => {
        const result = await work(nouns(inner as Db))
        // Its caller was told that it failed, so a link that comes back must not let it be committed after all.
        if (call.late) throw new Error('the transaction outlived its deadline')
        return result
      }),
    )

  const store: Record<string, unknown> = { kind: opened.kind, tx, close: () => opened.close() }
  for (const noun of Object.keys(current) as (keyof Tables)[]) {
    const methods: Record<string, unknown> = {}
    for (const method of Object.keys(current[noun]))
      methods[method] = (...args: unknown[]) =>
        persistent(() => (current[noun] as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]!(...args))
    store[noun] = methods
  }
  return store as Store
}
