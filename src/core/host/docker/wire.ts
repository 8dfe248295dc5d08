import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { HostError, isFault } from '../fault.ts'
import { answered, failed, malformed } from './fault.ts'
import { object, string } from './read.ts'

/** Where the engine listens, as `DOCKER_HOST`, `DOCKER_CERT_PATH` and `DOCKER_TLS_VERIFY` say it. */
export type Target = { dockerHost: string; certPath?: string | undefined; tlsVerify?: boolean | undefined }

/** How long calls of a kind may take, in milliseconds. `idle`: how long a stream may say nothing while it is read. */
export const deadlines = {
  ping: 5_000,
  short: 10_000,
  start: 120_000,
  sizes: 120_000,
  commit: 30 * 60_000,
  build: 60 * 60_000,
  idle: 60_000,
  buildIdle: 10 * 60_000,
} as const

/** One request. `query` values that are undefined are left out; an array is given once per element. */
export type Ask = {
  deadline: number
  query?: Record<string, string | number | boolean | string[] | undefined>
  body?: unknown
  headers?: Record<string, string>
  /** A body that is not JSON. */
  upload?: { stream: Readable; type: string }
  pool?: 'short' | 'long' | 'events'
  signal?: AbortSignal | undefined
  /** Statuses beside 2xx that are no failure. */
  allow?: number[]
}

export type Answer = { status: number; body: unknown }
export type Method = 'GET' | 'POST' | 'DELETE' | 'HEAD'

/** HTTP to one engine. Path segments are encoded here; whoever calls has checked that they are ids or names. */
export type Wire = {
  /** The whole answer, parsed; `undefined` when it is empty. @throws HostError */
  call(method: Method, path: readonly string[], ask: Ask): Promise<Answer>
  /** The body as it comes; `deadline` is for the head of the answer alone. @throws HostError */
  open(method: Method, path: readonly string[], ask: Ask): Promise<http.IncomingMessage>
  /** A connection of its own that carries raw bytes both ways; `deadline` is for the engine to agree. @throws HostError */
  hijack(path: readonly string[], ask: Pick<Ask, 'body' | 'deadline'>): Promise<Duplex>
  /** `/version`, read once per connection to an engine. */
  version(): Promise<{ api: string; engine: string }>
  close(): void
}

const largestAnswer = 64 * 1024 * 1024
/** What DCM was written for; CgroupnsMode needs it. Docker docs, "Docker Engine API version history". */
const wanted = '1.41'

const asNumber = (version: string): number => {
  const match = /^1\.(\d{1,3})$/.exec(version)
  if (!match) throw malformed('version')
  return Number(match[1])
}

/** 1.41, or the nearest that the engine speaks. */
export const negotiate = (newest: string, oldest: string): string =>
  `1.${Math.max(Math.min(asNumber(wanted), asNumber(newest)), asNumber(oldest))}`

type Where = { secure: boolean; options: http.RequestOptions & https.RequestOptions }

function locate(target: Target): Where {
  const text = target.dockerHost
  if (text.startsWith('unix://')) return { secure: false, options: { socketPath: text.slice('unix://'.length) } }
  const match = /^(?:tcp|https?):\/\/(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?\/?$/.exec(text)
  if (!match) throw new HostError('refused', 'DOCKER_HOST has to be unix:///path or tcp://host:port.')
  const secure = text.startsWith('https:') || target.certPath !== undefined
  const hostname = match[1]!.replace(/^\[|\]$/g, '')
  const options: Where['options'] = { hostname, port: Number(match[2] ?? (secure ? 2376 : 2375)) }
  if (secure && target.certPath !== undefined) {
    try {
      const file = (name: string) => readFileSync(join(target.certPath!, name))
      Object.assign(options, { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') })
    } catch (cause) {
      throw new HostError('refused', 'DOCKER_CERT_PATH lacks ca.pem, cert.pem or key.pem.', { cause })
    }
  }
  if (secure) options.rejectUnauthorized = target.tlsVerify !== false
  return { secure, options }
}

/**
 * Opens the way to an engine. Events, long and short calls have connections of their own, so that a queue of commits
 * never keeps a `ps` waiting.
 * @throws HostError `refused` when the target cannot be read
 */
export function createWire(target: Target): Wire {
  const { secure, options } = locate(target)
  const transport = secure ? https : http
  const pool = (maxSockets: number) =>
    new transport.Agent({ keepAlive: true, keepAliveMsecs: 15_000, maxSockets, maxFreeSockets: 8, scheduling: 'lifo' })
  const agents = { short: pool(24), long: pool(48), events: pool(8) }
  let known: Promise<{ api: string; engine: string }> | undefined

  const exchange = (method: Method, path: string, ask: Ask, what: string, again = true) =>
    new Promise<http.IncomingMessage>((resolve, reject) => {
      const json = ask.body === undefined ? undefined : Buffer.from(JSON.stringify(ask.body))
      const headers: http.OutgoingHttpHeaders = { ...ask.headers }
      if (json) Object.assign(headers, { 'content-type': 'application/json', 'content-length': json.length })
      else if (ask.upload) headers['content-type'] = ask.upload.type
      else if (method === 'POST') headers['content-length'] = 0
      const request = transport.request({ ...options, method, path, headers, agent: agents[ask.pool ?? 'short'] })
      const slow = setTimeout(
        () => request.destroy(new HostError('down', `The engine did not answer ${what} in ${ask.deadline / 1000} s.`)),
        ask.deadline,
      )
      const abort = () => request.destroy(new HostError('down', `The call ${what} was given up.`))
      const settle = () => {
        clearTimeout(slow)
        ask.signal?.removeEventListener('abort', abort)
      }
      request.once('response', (response) => {
        settle()
        resolve(response)
      })
      request.on('error', (error) => {
        settle()
        ask.upload?.stream.destroy()
        // The engine closed an idle connection just as it was used; what changes nothing may be asked again at once.
        const stale =
          request.reusedSocket && again && method === 'GET' && 'code' in error && error.code === 'ECONNRESET'
        if (stale && !ask.signal?.aborted) exchange(method, path, ask, what, false).then(resolve, reject)
        else reject(failed(error, what))
      })
      if (ask.signal?.aborted) return abort()
      ask.signal?.addEventListener('abort', abort, { once: true })
      if (ask.upload) {
        ask.upload.stream.on('error', (error) => request.destroy(error))
        ask.upload.stream.pipe(request)
      } else request.end(json)
    })

  const collect = async (response: http.IncomingMessage, deadline: number, what: string): Promise<string> => {
    const slow = setTimeout(
      () => response.destroy(new HostError('down', `The engine did not finish its answer to ${what}.`)),
      deadline,
    )
    try {
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > largestAnswer) throw malformed(what)
        chunks.push(chunk)
      }
      return Buffer.concat(chunks).toString('utf8')
    } catch (error) {
      throw failed(error, what)
    } finally {
      clearTimeout(slow)
      if (!response.complete) response.destroy()
    }
  }

  const url = (api: string | undefined, path: readonly string[], query: Ask['query']): string => {
    const search = new URLSearchParams()
    for (const [key, value] of Object.entries(query ?? {}))
      for (const item of Array.isArray(value) ? value : [value])
        if (item !== undefined) search.append(key, String(item))
    const text = search.toString()
    const head = api === undefined ? '' : `/v${api}`
    return `${head}/${path.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`
  }

  const open = async (api: string | undefined, method: Method, path: readonly string[], ask: Ask) => {
    const what = `${method} /${path.join('/')}`
    const response = await exchange(method, url(api, path, ask.query), ask, what)
    const status = response.statusCode ?? 0
    if ((status >= 200 && status < 300) || ask.allow?.includes(status)) return response
    throw answered(status, await collect(response, deadlines.short, what), what)
  }

  const call = async (api: string | undefined, method: Method, path: readonly string[], ask: Ask): Promise<Answer> => {
    const what = `${method} /${path.join('/')}`
    const response = await open(api, method, path, ask)
    const text = await collect(response, ask.deadline, what)
    if (text.trim() === '') return { status: response.statusCode!, body: undefined }
    try {
      return { status: response.statusCode!, body: JSON.parse(text) as unknown }
    } catch {
      throw malformed(what)
    }
  }

  const hijack = async (api: string, path: readonly string[], ask: Pick<Ask, 'body' | 'deadline'>) => {
    const what = `POST /${path.join('/')}`
    const body = Buffer.from(JSON.stringify(ask.body ?? {}))
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      connection: 'Upgrade',
      upgrade: 'tcp',
    }
    return new Promise<Duplex>((resolve, reject) => {
      const request = transport.request({
        ...options,
        method: 'POST',
        path: url(api, path, undefined),
        headers,
        agent: false,
      })
      const slow = setTimeout(
        () => request.destroy(new HostError('down', `The engine did not answer ${what} in ${ask.deadline / 1000} s.`)),
        ask.deadline,
      )
      request.once('upgrade', (_, socket, head) => {
        clearTimeout(slow)
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      })
      request.once('response', (response) => {
        clearTimeout(slow)
        // Anything but 101 is a refusal, with its reason in the body.
        collect(response, deadlines.short, what).then(
          (text) => reject(answered(response.statusCode ?? 0, text, what)),
          reject,
        )
      })
      request.on('error', (error) => {
        clearTimeout(slow)
        reject(failed(error, what))
      })
      request.end(body)
    })
  }

  const version = () => {
    known ??= call(undefined, 'GET', ['version'], { deadline: deadlines.short })
      .then(({ body }) => {
        const answer = object(body, 'version')
        const newest = string(answer.ApiVersion, 'version')
        const oldest = typeof answer.MinAPIVersion === 'string' ? answer.MinAPIVersion : newest
        return { api: negotiate(newest, oldest), engine: string(answer.Version, 'version') }
      })
      .catch((error: unknown) => {
        known = undefined
        throw error
      })
    return known
  }

  /** An engine that was away may come back as another version. */
  const forget = (error: unknown): never => {
    if (isFault(error, 'down')) known = undefined
    throw error
  }

  return {
    call: async (method, path, ask) => call((await version()).api, method, path, ask).catch(forget),
    open: async (method, path, ask) => open((await version()).api, method, path, ask).catch(forget),
    hijack: async (path, ask) => hijack((await version()).api, path, ask).catch(forget),
    version,
    close() {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}
