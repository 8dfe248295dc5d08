import type { Operation } from '../core/operation/define.ts'
import { build } from './build.ts'
import { clone } from './clone.ts'
import { composeUp } from './compose.ts'
import { composeDown, composeStop } from './composeend.ts'
import { commit } from './commit.ts'
import { create } from './create.ts'
import { kill } from './kill.ts'
import { end } from './end.ts'
import { exec } from './exec.ts'
import { offerImage, removeImage } from './image.ts'
import { createNetwork, joinNetwork, leaveNetwork, removeNetwork } from './network.ts'
import { addPort, removePort } from './port.ts'
import { pause, restart, revive, start, stop, unpause } from './power.ts'
import { rebuildImage } from './rebuild.ts'
import { recreate } from './recreate.ts'
import { pull } from './pull.ts'
import { push } from './push.ts'
import { prune } from './prune.ts'
import { remove } from './remove.ts'
import { renew } from './renew.ts'
import { run } from './run.ts'
import { tagImage } from './tag.ts'
import { removeUser } from './user.ts'
import { update } from './update.ts'
import { removeVolume } from './volume.ts'
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
  end,
  wait,
  update,
  recreate,
  addPort,
  removePort,
  removeVolume,
  createNetwork,
  removeNetwork,
  joinNetwork,
  leaveNetwork,
  run,
  exec,
  composeUp,
  composeStop,
  composeDown,
  remove,
  prune,
  commit,
  clone,
  removeImage,
  tagImage,
  build,
  pull,
  push,
  offerImage,
  rebuildImage,
  removeUser,
]
