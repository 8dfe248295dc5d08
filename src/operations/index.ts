import type { Operation } from '../core/operation/define.ts'
import { clone } from './clone.ts'
import { commit } from './commit.ts'
import { create } from './create.ts'
import { kill } from './kill.ts'
import { exec } from './exec.ts'
import { offerImage, removeImage } from './image.ts'
import { pause, restart, revive, start, stop, unpause } from './power.ts'
import { recreate } from './recreate.ts'
import { prune } from './prune.ts'
import { remove } from './remove.ts'
import { renew } from './renew.ts'
import { run } from './run.ts'
import { removeUser } from './user.ts'
import { tagImage } from './tag.ts'
import { update } from './update.ts'
import { wait } from './wait.ts'

/** Everything that outlives a call. */
export const operations: readonly Operation[] = [
  create,
  start,
  stop,
  restart,
  pause,
  unpause,
  revive,
  renew,
  kill,
  wait,
  update,
  recreate,
  run,
  exec,
  remove,
  prune,
  commit,
  clone,
  removeImage,
  offerImage,
  removeUser,
]
  tagImage,
