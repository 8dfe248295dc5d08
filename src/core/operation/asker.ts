import { newId, type Random } from '../model/id.ts'
import type { OperationRow } from '../store/operations.ts'

/** Who asked for an operation, as stored with it. */
export type Asker = Pick<
  OperationRow,
  'ownerId' | 'actorId' | 'actorName' | 'asName' | 'surface' | 'command' | 'target' | 'requestId'
> &
  Partial<Pick<OperationRow, 'address' | 'fingerprint'>>

/** Who asks when DCM acts by itself: nobody in particular. */
export const systemAsker = (
  random: Random,
  command: string,
  { ownerId, target }: Pick<Asker, 'ownerId' | 'target'>,
): Asker => ({
  ...{ ownerId, actorId: null, actorName: null, asName: null },
  ...{ surface: 'system', command, target, requestId: newId(random) },
})
