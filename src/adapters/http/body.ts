import { readObject } from './json.ts'
import { Refused } from './refused.ts'

/**
 * Reads a request's body as it came, never more than `limit` bytes of it, chunked or not; of `type` alone where one is
 * named.
 * @throws Refused 413, 415
 */
export async function readBytes(request: Request, limit: number, type?: 'application/json'): Promise<Uint8Array> {
  const tooLong = () => new Refused(413, 'usage', `The body is larger than ${limit} bytes.`)
  const length = request.headers.get('content-length')
  if (length === '0' || !request.body) return new Uint8Array()
  if (Number(length ?? 0) > limit) throw tooLong()
  const encoding = request.headers.get('content-encoding')
  if (encoding && encoding !== 'identity')
    throw new Refused(415, 'usage', 'A compressed body is not taken; send it as it is.')
  const said = request.headers.get('content-type') ?? ''
  if (type && !/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(said))
    throw new Refused(415, 'usage', 'The body must be JSON; send it with "Content-Type: application/json".')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > limit) throw tooLong()
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/**
 * Reads a request's body as a JSON object, never more than `limit` bytes of it, chunked or not.
 * @throws Refused 413, 415; DcmError `usage`
 */
export async function readBody(request: Request, limit: number): Promise<Record<string, unknown>> {
  if (request.headers.get('content-length') === '0' || !request.body) return {}
  const bytes = await readBytes(request, limit, 'application/json')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Refused(400, 'usage', 'The body is not UTF-8.', {}, cause)
  }
  return readObject(text)
}
