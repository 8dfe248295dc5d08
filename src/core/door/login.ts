import type { Works } from '../operation/define.ts'
import type { Log } from '../model/log.ts'
import { spreadKeys } from '../containers/runfolder.ts'
import { newId } from '../model/id.ts'
import type { Actor, Person } from '../model/person.ts'
import { createCodes } from '../people/codes.ts'
import { insertKey, keyTaken } from '../people/keys.ts'
import { lockPresent } from '../people/present.ts'
import { DcmError } from '../reply/error.ts'
import { printable } from '../reply/text.ts'
import { fingerprintOf, formatKey, parsePublicKey } from '../secret/keys.ts'
import { violated } from '../store/db.ts'
import { auditEntry } from './record.ts'

/** What an SSH client shows: a user name, a key, and whether it has proved in this very request that the key is its own. */
export type Presented = { name: string; key: { type: string; blob: Buffer }; proved: boolean; address: string }

/**
 * Who that is, and the container they named, if one; `enrolled` when an invitation has just made this key theirs. Or a
 * refusal: `why` is only there for who brought a code, everybody else is refused alike, in the same time.
 */
export type Admission =
  | { actor: Actor & { person: Person }; container: string | null; enrolled: boolean }
  | { refused: true; why: string | null }

/** Refusals of one address that are written down in a minute; what comes after is one row. */
const most = 30
const minute = 60_000

type Wish = { invite: string } | { person: string; container: string | null } | undefined

/** The forms of a user name: `ada`, `ada+web`, `invite:CODE`. An admin's `alice/web` may stand behind the plus sign. */
function readName(name: string): Wish {
  const invite = /^invite:(.{1,40})$/.exec(name)
  if (invite) return { invite: invite[1]! }
  const match = /^([a-z][a-z0-9-]{1,30})(?:\+([a-z0-9/-]{1,80}))?$/.exec(name)
  return match ? { person: match[1]!, container: match[2] ?? null } : undefined
}

/** Decides who comes in by SSH. Each login and refusal is recorded with the key's fingerprint and the address. */
export function createLogin({ works, log }: { works: Works; log: Log }): (presented: Presented) => Promise<Admission> {
  const { store, random } = works
  const codes = createCodes({ store, random })
  const refusals = new Map<string, { count: number; until: number }>()

  /** Whether one more refusal of this address is written down; a flood of them must not fill the log. */
  function worthRecording(address: string): boolean | 'last' {
    const now = performance.now()
    for (const [key, one] of refusals) if (one.until < now) refusals.delete(key)
    const seen = refusals.get(address) ?? { count: 0, until: now + minute }
    refusals.set(address, seen)
    seen.count++
    return seen.count === most ? 'last' : seen.count < most
  }

  async function refuse(
    presented: Presented,
    fingerprint: string,
    why: string,
    shown: string | null,
  ): Promise<Admission> {
    const worth = worthRecording(presented.address)
    if (worth) {
      const actor: Actor = { person: null, surface: 'ssh', address: presented.address, fingerprint }
      const target = printable(presented.name.replace(/^invite:.*/s, 'invite')).slice(0, 60)
      const detail = worth === 'last' ? `${why}; further refusals of this address are not recorded for a minute` : why
      await store.audit
        .add(
          auditEntry(actor, {
            command: 'login',
            requestId: newId(random),
            target,
            decision: 'refused',
            code: 'unlinked',
            detail,
          }),
        )
        .catch((err: unknown) => log.warn({ err }, 'a refused login could not be recorded'))
    }
    return { refused: true, why: shown }
  }

  async function enrol(presented: Presented, code: string): Promise<Person> {
    const line = formatKey({ type: presented.key.type, blob: presented.key.blob.toString('base64') })
    const key = parsePublicKey(line)
    if ('reason' in key) throw new DcmError('usage', key.reason)
    const taken = codes.take('invite', code, `ssh:${presented.address}`, async (tx, { data }) => {
      const person = await lockPresent(tx, String(data['personId']))
      if (person.state !== 'active')
        throw new DcmError('denied', `${person.name} is suspended; an admin can resume them.`)
      const present = await tx.keys.of(person.id)
      if (!present.some((one) => one.fingerprint === key.fingerprint)) await insertKey(tx, person.id, key, random)
      const actor: Actor = { person, surface: 'ssh', address: presented.address, fingerprint: key.fingerprint }
      await tx.audit.add(
        auditEntry(actor, { command: 'enrol', requestId: newId(random), target: person.name, decision: 'done' }),
      )
      return person
    })
    const person = await taken.catch((error: unknown) => {
      throw violated(error) === 'keys_fingerprint' ? keyTaken(error) : error
    })
    await spreadKeys(works, person.id).catch((err: unknown) =>
      log.warn({ err }, 'a new key could not be brought to every container at once'),
    )
    return person
  }

  return async (presented) => {
    const fingerprint = fingerprintOf(presented.key.blob)
    const wish = readName(presented.name)
    // Asked whatever the name and the proof are, so that every refusal costs the same.
    const owner = await store.keys.owner(fingerprint)
    let person: Person | undefined
    let enrolled = false
    if (!presented.proved) return refuse(presented, fingerprint, 'the signature is not the key’s', null)
    if (wish && 'invite' in wish) {
      try {
        person = await enrol(presented, wish.invite)
        enrolled = true
      } catch (error) {
        if (!(error instanceof DcmError)) throw error
        return refuse(presented, fingerprint, error.message, error.message)
      }
    } else if (wish && owner?.name === wish.person && owner.state === 'active') person = owner
    if (!person)
      return refuse(
        presented,
        fingerprint,
        owner
          ? `the key is ${owner.name}’s${owner.state === 'active' ? '' : `, who is ${owner.state}`}`
          : 'nobody’s key',
        null,
      )
    const actor = { person, surface: 'ssh' as const, address: presented.address, fingerprint }
    await store.audit.add(
      auditEntry(actor, {
        command: 'login',
        requestId: newId(random),
        target: presented.name.replace(/^invite:.*/s, 'invite').slice(0, 60),
        decision: 'done',
      }),
    )
    return { actor, enrolled, container: wish && 'container' in wish ? wish.container : null }
  }
}
