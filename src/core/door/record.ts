import type { Actor, Person } from '../model/person.ts'
import type { Begin } from '../command/define.ts'
import type { Asker } from '../operation/asker.ts'
import type { AuditEntry } from '../store/audit.ts'
import type { Store } from '../store/store.ts'

/** Who acts: with `--as`, the admin. */
export const actingOf = (actor: Actor): Person | null => actor.by ?? actor.person

/** Who a call is by, as it is stored: with `--as`, the admin acts and the member's name stands beside. */
function askerOf(actor: Actor, command: string, target: string | null, requestId: string): Asker {
  const acting = actingOf(actor)
  return {
    ownerId: null,
    actorId: acting?.id ?? null,
    actorName: acting?.name ?? null,
    asName: actor.by ? (actor.person?.name ?? null) : null,
    surface: actor.surface,
    address: actor.address ?? null,
    fingerprint: actor.fingerprint ?? null,
    command,
    target,
    requestId,
  }
}

/** Who asks for an operation: the same, with whose use its admission counts. */
export const askerFor = async (
  store: Store,
  { actor, command, target, requestId }: { actor: Actor; command: string; target: string | null; requestId: string },
  begin: Begin,
): Promise<Asker> => ({ ...askerOf(actor, command, target, requestId), ownerId: await ownerOf(store, begin) })

/** Whoever the input names, or the owner of the container that it names. */
async function ownerOf(store: Store, { input }: Begin): Promise<string | null> {
  const { ownerId, containerId, personId } = input as { ownerId?: string; containerId?: string; personId?: string }
  const container = containerId ? await store.containers.byId(containerId) : undefined
  return ownerId ?? container?.ownerId ?? personId ?? null
}

/** A row of the audit log for something that was decided at once. */
export function auditEntry(
  actor: Actor,
  facts: Pick<AuditEntry, 'command' | 'requestId' | 'decision'> & {
    target: string | null
    code?: string
    detail?: string | null
  },
): AuditEntry {
  const { actorId, actorName, asName, surface } = askerOf(actor, facts.command, facts.target, facts.requestId)
  return {
    actorId,
    actor: actorName,
    as: asName,
    surface,
    address: actor.address ?? null,
    fingerprint: actor.fingerprint ?? null,
    ...facts,
    code: facts.code ?? null,
    detail: facts.detail?.slice(0, 500) ?? null,
  }
}
