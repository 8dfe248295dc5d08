import type { Hooks } from '../../core/hooks/receive.ts'
import { respondJson, respondReply } from './answer.ts'
import type { Mounted } from './app.ts'
import { readBytes } from './body.ts'
import { Refused } from './refused.ts'

/** Bytes of a delivery. GitHub sends up to 25 MB, but what is so large is no event that a line could be made of. */
const largest = 1024 * 1024

/** `60`, `60s` or `1m`; undefined when nothing is said. @throws Refused */
function readWait(text: string | null): number | undefined {
  if (text === null) return undefined
  const match = /^(\d{1,3})(s|m)?$/.exec(text)
  const seconds = match ? Number(match[1]) * (match[2] === 'm' ? 60 : 1) : Number.NaN
  if (!(seconds <= 300)) throw new Refused(400, 'usage', '"wait" is a number of seconds from 0 to 300, like 60s.')
  return seconds * 1000
}

/**
 * Answers `POST /v1/hooks/<id>`: no token, for the signature says who sends. The body is handed on as it came, since it
 * is these bytes that are signed.
 */
export const createHookRoute =
  (hooks: Pick<Hooks, 'receive'>): Mounted =>
  async (request, _, { address, headers, hold }) => {
    const id = new URL(request.url).pathname.split('/hooks/')[1] ?? ''
    if (request.method !== 'POST') throw new Refused(405, 'usage', 'A hook takes POST.', { Allow: 'POST' })
    const wait = readWait(new URL(request.url).searchParams.get('wait'))
    const body = await readBytes(request, largest)
    const held = hold(`hook/${id}`)
    try {
      const knock = {
        ...{ id, body, address, signal: held.signal },
        header: (name: string) => request.headers.get(name),
        ...(wait === undefined ? {} : { wait }),
      }
      const { reply, accepted } = await hooks.receive(knock)
      if (!accepted) return respondReply(reply, headers)
      const location = reply.operation ? { Location: `/v1/operations/${reply.operation.id}` } : {}
      return respondJson(reply, 202, { ...headers, ...location })
    } finally {
      held.done()
    }
  }
