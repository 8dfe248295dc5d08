import type { Command } from '../core/command/define.ts'
import { commit } from './commit.ts'
import { create } from './create.ts'
import { doctor } from './doctor.ts'
import { help } from './help.ts'
import { imageOffer } from './image-offer.ts'
import { imageWithdraw } from './image-withdraw.ts'
import { images } from './images.ts'
import { inspect } from './inspect.ts'
import { inventory } from './inventory.ts'
import { logs } from './logs.ts'
import { peopleCommands } from './people.ts'
import { pause, restart, start, stop, unpause } from './power.ts'
import { ps } from './ps.ts'
import { rename } from './rename.ts'
import { rm } from './rm.ts'
import { rmi } from './rmi.ts'
import { ssh } from './ssh.ts'

/** Every command there is, in the order that help shows them. Adding one: a file, and a line here. */
export const commands: readonly Command[] = [
  create,
  ps,
  inspect,
  ssh,
  start,
  stop,
  restart,
  pause,
  unpause,
  rm,
  rename,
  logs,
  commit,
  images,
  rmi,
  ...peopleCommands,
  imageOffer,
  imageWithdraw,
  inventory,
  doctor,
  help,
]
