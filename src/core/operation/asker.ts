import { newId, type Random } from '../model/id.ts'
import type { Asker } from './runner.ts'

/** Who asks when DCM acts by itself: nobody in particular. */
export const systemAsker = (
  random: Random,
  command: string,
  { ownerId, target }: Pick<Asker, 'ownerId' | 'target'>,
): Asker => ({
  ...{ ownerId, actorId: null, actorName: null, asName: null },
  ...{ surface: 'system', command, target, requestId: newId(random) },
})
