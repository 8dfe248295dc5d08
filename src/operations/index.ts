import type { Operation } from '../core/operation/define.ts'
import { commit } from './commit.ts'
import { create } from './create.ts'
import { offerImage, removeImage } from './image.ts'
import { pause, restart, revive, start, stop, unpause } from './power.ts'
import { recreate } from './recreate.ts'
import { remove } from './remove.ts'
import { removeUser } from './user.ts'

/** Everything that outlives a call. */
export const operations: readonly Operation[] = [
  create,
  start,
  stop,
  restart,
  pause,
  unpause,
  revive,
  recreate,
  remove,
  commit,
  removeImage,
  offerImage,
  removeUser,
]
