import type { Command } from '../core/command/define.ts'
import { approve, deny } from './approve.ts'
import { audit } from './audit.ts'
import { capacity } from './capacity.ts'
import { deviceAdd } from './device-add.ts'
import { deviceLs } from './device-ls.ts'
import { deviceRm } from './device-rm.ts'
import { grant } from './grant.ts'
import { grants } from './grants.ts'
import { join } from './join.ts'
import { keyAdd } from './key-add.ts'
import { keyLs } from './key-ls.ts'
import { keyRm } from './key-rm.ts'
import { link } from './link.ts'
import { notify } from './notify.ts'
import { quotaSet } from './quota-set.ts'
import { quotaShow } from './quota-show.ts'
import { quotaSite } from './quota-site.ts'
import { quotaUnset } from './quota-unset.ts'
import { request } from './request.ts'
import { requests } from './requests.ts'
import { revoke } from './revoke.ts'
import { seccompAdd } from './seccomp-add.ts'
import { seccompLs } from './seccomp-ls.ts'
import { seccompRm } from './seccomp-rm.ts'
import { tokenLs } from './token-ls.ts'
import { tokenNew } from './token-new.ts'
import { tokenRm } from './token-rm.ts'
import { unlink } from './unlink.ts'
import { userAdd } from './user-add.ts'
import { userLink } from './user-link.ts'
import { userInvite } from './user-invite.ts'
import { userLs } from './user-ls.ts'
import { userResume } from './user-resume.ts'
import { userRm } from './user-rm.ts'
import { userShow } from './user-show.ts'
import { userSuspend } from './user-suspend.ts'
import { userUnlink } from './user-unlink.ts'
import { whoami } from './whoami.ts'

/** Commands about people and what they may, in the order that help shows them: what members use first. */
export const peopleCommands: readonly Command[] = [
  whoami,
  keyAdd,
  keyLs,
  keyRm,
  tokenNew,
  tokenLs,
  tokenRm,
  link,
  unlink,
  join,
  quotaShow,
  grants,
  request,
  requests,
  notify,
  userAdd,
  userInvite,
  userLs,
  userShow,
  userSuspend,
  userResume,
  userRm,
  userLink,
  userUnlink,
  approve,
  deny,
  grant,
  revoke,
  quotaSet,
  quotaUnset,
  quotaSite,
  capacity,
  deviceAdd,
  deviceLs,
  deviceRm,
  seccompAdd,
  seccompLs,
  seccompRm,
  audit,
]
