import type { Command } from '../core/command/define.ts'
import { join } from './account/join.ts'
import { link } from './account/link.ts'
import { notify } from './account/notify.ts'
import { unlink } from './account/unlink.ts'
import { outcome } from './account/outcome.ts'
import { whoami } from './account/whoami.ts'
import { composeCheck } from './compose/check.ts'
import { composeLogs } from './compose/logs.ts'
import { composePs } from './compose/ps.ts'
import { composeDown, composeStop } from './compose/stop.ts'
import { composeUp } from './compose/up.ts'
import { clone } from './container/clone.ts'
import { config } from './container/config.ts'
import { cp } from './container/cp.ts'
import { create } from './container/create.ts'
import { diff } from './container/diff.ts'
import { events } from './container/events.ts'
import { exec } from './container/exec.ts'
import { exportCommand } from './container/export.ts'
import { extend } from './container/extend.ts'
import { inbox } from './container/inbox.ts'
import { inspect } from './container/inspect.ts'
import { keep } from './container/keep.ts'
import { kill } from './container/kill.ts'
import { logs } from './container/logs.ts'
import { note } from './container/note.ts'
import { pause, restart, start, stop, unpause } from './container/power.ts'
import { ps } from './container/ps.ts'
import { recreate, redeploy } from './container/recreate.ts'
import { rename } from './container/rename.ts'
import { rm } from './container/rm.ts'
import { run } from './container/run.ts'
import { ssh } from './container/ssh.ts'
import { stats } from './container/stats.ts'
import { top } from './container/top.ts'
import { update } from './container/update.ts'
import { wait } from './container/wait.ts'
import { groupAdd } from './group/add.ts'
import { groupGrant, groupRevoke } from './group/grant.ts'
import { groupLs } from './group/ls.ts'
import { groupJoin, groupLeave } from './group/member.ts'
import { groupQuota } from './group/quota.ts'
import { groupRm } from './group/rm.ts'
import { groupShow } from './group/show.ts'
import { hookLog } from './hook/log.ts'
import { hookLs } from './hook/ls.ts'
import { hookNew } from './hook/new.ts'
import { hookRm } from './hook/rm.ts'
import { hookRotate } from './hook/rotate.ts'
import { hookShow } from './hook/show.ts'
import { build } from './image/build.ts'
import { commit } from './image/commit.ts'
import { images } from './image/ls.ts'
import { imageDeprecate } from './image/deprecate.ts'
import { imageOffer } from './image/offer.ts'
import { pull } from './image/pull.ts'
import { push } from './image/push.ts'
import { imageRebuild } from './image/rebuild.ts'
import { imageShow } from './image/show.ts'
import { imageTag } from './image/tag.ts'
import { rmi } from './image/rmi.ts'
import { imageWithdraw } from './image/withdraw.ts'
import { keyAdd } from './key/add.ts'
import { keyLs } from './key/ls.ts'
import { keyRm } from './key/rm.ts'
import { registryAllow } from './registry/allow.ts'
import { registryDisallow } from './registry/disallow.ts'
import { registryLogin } from './registry/login.ts'
import { registryLogout } from './registry/logout.ts'
import { registryLs } from './registry/ls.ts'
import { networkConnect, networkDisconnect } from './network/connect.ts'
import { networkCreate } from './network/create.ts'
import { networkLs } from './network/ls.ts'
import { networkRm } from './network/rm.ts'
import { approve, deny } from './permit/approve.ts'
import { can } from './permit/can.ts'
import { grant } from './permit/grant.ts'
import { grants } from './permit/grants.ts'
import { request } from './permit/request.ts'
import { requests } from './permit/requests.ts'
import { revoke } from './permit/revoke.ts'
import { portAdd } from './port/add.ts'
import { portLs } from './port/ls.ts'
import { portRm } from './port/rm.ts'
import { capacity } from './quota/capacity.ts'
import { quotaSet } from './quota/set.ts'
import { quotaShow } from './quota/show.ts'
import { quotaSite } from './quota/site.ts'
import { quotaUnset } from './quota/unset.ts'
import { df } from './room/df.ts'
import { prune } from './room/prune.ts'
import { schedule } from './schedule/add.ts'
import { scheduleLs } from './schedule/ls.ts'
import { scheduleRm } from './schedule/rm.ts'
import { secretLs } from './secret/ls.ts'
import { secretRm } from './secret/rm.ts'
import { secretSet } from './secret/set.ts'
import { share } from './share/share.ts'
import { shares } from './share/shares.ts'
import { unshare } from './share/unshare.ts'
import { audit } from './site/audit.ts'
import { deviceAdd } from './site/device-add.ts'
import { deviceLs } from './site/device-ls.ts'
import { deviceRm } from './site/device-rm.ts'
import { doctor } from './site/doctor.ts'
import { help } from './site/help.ts'
import { inventory } from './site/inventory.ts'
import { seccompAdd } from './site/seccomp-add.ts'
import { seccompLs } from './site/seccomp-ls.ts'
import { seccompRm } from './site/seccomp-rm.ts'
import { sessionsKill } from './site/sessions-kill.ts'
import { sessions } from './site/sessions.ts'
import { tokenLs } from './token/ls.ts'
import { tokenNew } from './token/new.ts'
import { tokenRm } from './token/rm.ts'
import { userAdd } from './user/add.ts'
import { userDiscard } from './user/discard.ts'
import { userInvite } from './user/invite.ts'
import { userKept } from './user/kept.ts'
import { userLink } from './user/link.ts'
import { userLs } from './user/ls.ts'
import { userResume } from './user/resume.ts'
import { userRm } from './user/rm.ts'
import { userShow } from './user/show.ts'
import { userSuspend } from './user/suspend.ts'
import { userUnlink } from './user/unlink.ts'
import { volumeCreate } from './volume/create.ts'
import { volumeLs } from './volume/ls.ts'
import { volumeRm } from './volume/rm.ts'

/** Commands that belong together, under the word that `help` lists them by. */
const topic = (name: string, commands: readonly Command[]): Command[] =>
  commands.map((command) => ({ ...command, topic: name }))

/** Every command there is, in the order that help shows them. Adding one: a file, and its name here. */
export const commands: readonly Command[] = [
  ...topic('container', [
    create,
    ps,
    inspect,
    ssh,
    config,
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
    cp,
    inbox,
    exportCommand,
    logs,
    top,
    stats,
    diff,
    events,
  ]),
  ...topic('port', [portAdd, portLs, portRm]),
  ...topic('volume', [volumeCreate, volumeLs, volumeRm]),
  ...topic('network', [networkCreate, networkLs, networkRm, networkConnect, networkDisconnect]),
  ...topic('image', [
    commit,
    build,
    images,
    imageShow,
    imageTag,
    pull,
    push,
    rmi,
    imageOffer,
    imageRebuild,
    imageDeprecate,
    imageWithdraw,
  ]),
  ...topic('composition', [composeUp, composePs, composeLogs, composeStop, composeDown, composeCheck]),
  ...topic('registry', [registryLs, registryLogin, registryLogout, registryAllow, registryDisallow]),
  ...topic('disk', [df, prune]),
  ...topic('time', [schedule, scheduleLs, scheduleRm]),
  ...topic('sharing', [share, unshare, shares]),
  ...topic('secret', [secretSet, secretLs, secretRm]),
  ...topic('hook', [hookNew, hookLs, hookShow, hookRotate, hookRm, hookLog]),
  ...topic('account', [whoami, outcome, link, unlink, join, notify]),
  ...topic('key', [keyAdd, keyLs, keyRm, tokenNew, tokenLs, tokenRm]),
  ...topic('permission', [can, grants, request, requests, approve, deny, grant, revoke]),
  ...topic('quota', [quotaShow, quotaSet, quotaUnset, quotaSite, capacity]),
  ...topic('member', [
    userAdd,
    userInvite,
    userLs,
    userShow,
    userSuspend,
    userResume,
    userRm,
    userKept,
    userDiscard,
    userLink,
    userUnlink,
  ]),
  ...topic('group', [
    groupAdd,
    groupLs,
    groupShow,
    groupJoin,
    groupLeave,
    groupQuota,
    groupGrant,
    groupRevoke,
    groupRm,
  ]),
  ...topic('site', [
    help,
    sessions,
    sessionsKill,
    audit,
    inventory,
    doctor,
    deviceAdd,
    deviceLs,
    deviceRm,
    seccompAdd,
    seccompLs,
    seccompRm,
  ]),
]
