import type { Outlet } from '../../core/chat/outlet.ts'
import { DcmError } from '../../core/reply/error.ts'

/** Where Discord keeps attachments («Reference», CDN data); who has the address may have the file, so no token is sent. */
const keepers = ['https://cdn.discordapp.com', 'https://media.discordapp.net']

/** Fetches an attachment, from Discord itself and from nowhere else. Beside the real Discord, another one is its own keeper. */
export function createFetch(apiUrl: string): NonNullable<Outlet['fetch']> {
  const api = new URL(apiUrl)
  const real = api.hostname === 'discord.com' || api.hostname.endsWith('.discord.com')
  const origins = real ? keepers : [api.origin]
  return async (_, file) => {
    const url = URL.canParse(file.at) ? new URL(file.at) : undefined
    if (!url || !origins.includes(url.origin) || url.username !== '')
      throw new DcmError(
        'usage',
        'Discord does not keep that file itself, so it is not fetched; attach the file, not a link.',
      )
    let response: Response
    try {
      response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(60_000) })
    } catch (cause) {
      throw new DcmError('unavailable', 'Discord did not hand out the file; send it again in a minute.', { cause })
    }
    if (!response.ok || !response.body || Number(response.headers.get('content-length') ?? file.size) !== file.size)
      throw new DcmError('unavailable', 'Discord did not hand out the file; send it again.')
    return response.body
  }
}
