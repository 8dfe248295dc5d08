import { newId, type Random } from '../model/id.ts'
import type { OperationRow } from '../store/operations.ts'

/** Who asked for an operation, as stored with it. */
export type Asker = Pick<
  OperationRow,
  | 'ownerId'
  | 'actorId'
  | 'actorName'
  | 'asName'
  | 'surface'
  | 'address'
  | 'fingerprint'
  | 'command'
  | 'target'
  | 'requestId'
>

/** Who asks when DCM acts by itself: nobody in particular. */
export const systemAsker = (
  random: Random,
  command: string,
  { ownerId, target }: Pick<Asker, 'ownerId' | 'target'>,
): Asker => ({
  ...{ ownerId, actorId: null, actorName: null, asName: null },
  ...{ surface: 'system', address: null, fingerprint: null, command, target, requestId: newId(random) },
})
