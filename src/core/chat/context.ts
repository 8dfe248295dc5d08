import type { Context } from '../command/context.ts'
import type { Works } from '../operation/define.ts'
import { createLinks } from './links.ts'
import { createNotify } from './notices.ts'
import { createRequests } from './requests.ts'

/** What commands may ask of the chat half: accounts, requests and notices. */
export function createChatContext(
  works: Pick<Works, 'store' | 'random' | 'seal' | 'settings' | 'now'>,
): Pick<Context, 'links' | 'requests' | 'notify'> {
  const { store, random, seal, settings, now } = works
  return {
    links: createLinks({ store, random, signup: settings.signup ?? { mode: 'off' } }),
    requests: createRequests({ store, random, seal, adminChannel: settings.adminChannel, now }),
    notify: createNotify({ store }),
  }
}
