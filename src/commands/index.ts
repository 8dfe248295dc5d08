import type { Command } from '../core/command/define.ts'
import { can } from './can.ts'
import { clone } from './clone.ts'
import { commit } from './commit.ts'
import { config } from './config.ts'
import { create } from './create.ts'
import { df } from './df.ts'
import { diff } from './diff.ts'
import { doctor } from './doctor.ts'
import { events } from './events.ts'
import { exec } from './exec.ts'
import { exportCommand } from './export.ts'
import { extend } from './extend.ts'
import { help } from './help.ts'
import { hookLog } from './hook-log.ts'
import { hookLs } from './hook-ls.ts'
import { hookNew } from './hook-new.ts'
import { hookRm } from './hook-rm.ts'
import { hookRotate } from './hook-rotate.ts'
import { hookShow } from './hook-show.ts'
import { imageOffer } from './image-offer.ts'
import { imageWithdraw } from './image-withdraw.ts'
import { images } from './images.ts'
import { inspect } from './inspect.ts'
import { inventory } from './inventory.ts'
import { keep } from './keep.ts'
import { kill } from './kill.ts'
import { logs } from './logs.ts'
import { note } from './note.ts'
import { peopleCommands } from './people.ts'
import { pause, restart, start, stop, unpause } from './power.ts'
import { prune } from './prune.ts'
import { ps } from './ps.ts'
import { recreate, redeploy } from './recreate.ts'
import { rename } from './rename.ts'
import { rm } from './rm.ts'
import { rmi } from './rmi.ts'
import { sessions } from './sessions.ts'
import { sessionsKill } from './sessions-kill.ts'
import { run } from './run.ts'
import { schedule } from './schedule.ts'
import { scheduleLs } from './schedule-ls.ts'
import { scheduleRm } from './schedule-rm.ts'
import { secretLs } from './secret-ls.ts'
import { secretRm } from './secret-rm.ts'
import { secretSet } from './secret-set.ts'
import { share } from './share.ts'
import { shares } from './shares.ts'
import { ssh } from './ssh.ts'
import { stats } from './stats.ts'
import { top } from './top.ts'
import { unshare } from './unshare.ts'
import { update } from './update.ts'
import { wait } from './wait.ts'

/** Every command there is, in the order that help shows them. Adding one: a file, and a line here. */
export const commands: readonly Command[] = [
  create,
  ps,
  inspect,
  ssh,
  config,
  sessions,
  sessionsKill,
  start,
  stop,
  restart,
  pause,
  unpause,
  kill,
  wait,
  update,
  exec,
  run,
  redeploy,
  recreate,
  rm,
  rename,
  note,
  clone,
  extend,
  keep,
  schedule,
  scheduleLs,
  scheduleRm,
  share,
  unshare,
  shares,
  can,
  secretSet,
  secretLs,
  secretRm,
  exportCommand,
  logs,
  top,
  stats,
  diff,
  events,
  commit,
  images,
  rmi,
  df,
  prune,
  hookNew,
  hookLs,
  hookShow,
  hookRotate,
  hookRm,
  hookLog,
  ...peopleCommands,
  imageOffer,
  imageWithdraw,
  inventory,
  doctor,
  help,
]
