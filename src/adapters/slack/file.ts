import type { Outlet } from '../../core/chat/outlet.ts'
import { DcmError } from '../../core/reply/error.ts'
import type { Tokens } from './client.ts'

/** Where Slack keeps what people send (docs.slack.dev, file object: url_private). The token goes nowhere else. */
const keeper = 'https://files.slack.com'

/**
 * Fetches what somebody sent to the bot, with the bot's token and only from Slack itself: a message may name any address.
 * Beside the real Slack, another one is its own keeper.
 */
export function createFetch(tokens: Tokens, apiUrl: string): NonNullable<Outlet['fetch']> {
  const api = new URL(apiUrl)
  const origin = api.hostname === 'slack.com' || api.hostname.endsWith('.slack.com') ? keeper : api.origin
  return async (address, file) => {
    const url = URL.canParse(file.at) ? new URL(file.at) : undefined
    if (url?.origin !== origin || url.username !== '')
      throw new DcmError(
        'usage',
        'Slack does not keep that file itself, so it is not fetched; send the file, not a link.',
      )
    const installation = await tokens.of(address.scope)
    if (!installation) throw new DcmError('unavailable', 'DCM is not installed in this workspace any more.')
    let response: Response
    try {
      response = await fetch(url, {
        headers: { Authorization: `Bearer ${installation.botToken}` },
        redirect: 'error',
        signal: AbortSignal.timeout(60_000),
      })
    } catch (cause) {
      throw new DcmError('unavailable', 'Slack did not hand out the file; send it again in a minute.', { cause })
    }
    // Without the scope files:read Slack answers with its page to log in.
    if (!response.ok || !response.body || Number(response.headers.get('content-length') ?? file.size) !== file.size)
      throw new DcmError(
        'unavailable',
        'Slack did not hand out the file; an admin can install the app anew, with files:read.',
      )
    return response.body
  }
}
