// What set-up asks of a Docker Engine before DCM itself runs; no docker client is needed.
//
//   node scripts/engine.ts ping          exits 0: answers, 1: none there, 2: does not let us in, 3: there, but silent
//   node scripts/engine.ts has IMAGE     exits 0 when the engine has the image
//   node scripts/engine.ts pull IMAGE    exits 0 when it could be pulled, and 1 soon where no registry can be reached
//   node scripts/engine.ts import IMAGE  makes an image of the root file system that comes as a tar on standard input
import { type IncomingMessage, request, type RequestOptions } from 'node:http'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

const silence = 20_000

/** Where the engine is: `DOCKER_HOST` as Docker's own client reads it, or the socket that a distribution's engine has. */
function place(host = process.env['DOCKER_HOST'] ?? ''): RequestOptions {
  if (host.startsWith('tcp://') || host.startsWith('http://')) {
    const url = new URL(host.replace(/^tcp/, 'http'))
    return { host: url.hostname, port: url.port || 2375 }
  }
  return { socketPath: host.replace(/^unix:\/\//, '') || '/var/run/docker.sock' }
}

function ask(method: string, path: string, options: { timeout?: number; body?: Readable } = {}) {
  return new Promise<IncomingMessage>((answered, failed) => {
    const timeout = options.timeout ?? 5000
    const sent = request({ ...place(), method, path, timeout, agent: false }, answered)
    sent.on('timeout', () => sent.destroy(new Error('silent')))
    sent.on('error', failed)
    if (options.body) options.body.pipe(sent)
    else sent.end()
  })
}

async function ping(): Promise<number> {
  try {
    const answer = await ask('GET', '/_ping')
    return answer.statusCode === 200 && (await text(answer)) === 'OK' ? 0 : 3
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') return 2
    return message === 'silent' ? 3 : 1
  }
}

async function has(image: string): Promise<number> {
  const answer = await ask('GET', `/images/${image}/json`)
  answer.resume()
  return answer.statusCode === 200 ? 0 : 1
}

type Progress = {
  error?: string
  id?: string
  status?: string
  progressDetail?: { current?: number; total?: number }
}

/** Pulls, saying how far it is every few seconds; gives up when nothing moves. */
async function pull(image: string): Promise<number> {
  const [name, tag] = image.split(':')
  const answer = await ask('POST', `/images/create?fromImage=${name}&tag=${tag ?? 'latest'}`, { timeout: silence })
  if (answer.statusCode !== 200) {
    answer.resume()
    return 1
  }
  const parts = new Map<string, { current: number; total: number }>()
  let said = Date.now()
  let rest = ''
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { error, id, status, progressDetail } = JSON.parse(line || '{}') as Progress
      if (error) return 1
      if (id && status === 'Downloading' && progressDetail?.total)
        parts.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total })
    }
    if (Date.now() - said < 3000) continue
    said = Date.now()
    const sum = (of: 'current' | 'total') => [...parts.values()].reduce((all, part) => all + part[of], 0) / 1e6
    console.log(`dcm: Pulling ${image}: ${sum('current').toFixed(0)} of ${sum('total').toFixed(0)} MB.`)
  }
  return has(image)
}

/** https://docs.docker.com/reference/api/engine/ (ImageCreate with `fromSrc=-`). */
async function bringIn(image: string): Promise<number> {
  const [repo, tag] = image.split(':')
  const query = new URLSearchParams({ fromSrc: '-', repo: repo ?? image, tag: tag ?? 'latest' })
  query.append('changes', 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  query.append('changes', 'CMD ["bash"]')
  const answer = await ask('POST', `/images/create?${query.toString()}`, { timeout: 300_000, body: process.stdin })
  const said = await text(answer)
  if (answer.statusCode === 200 && !said.includes('"error"')) return 0
  console.error(`dcm: The engine refused the image: ${said.trim()}`)
  return 1
}

const [action, image = ''] = process.argv.slice(2)
const actions: Record<string, () => Promise<number>> = {
  ping,
  has: () => has(image),
  pull: () => pull(image),
  import: () => bringIn(image),
}
const run = actions[action ?? '']
if (!run) throw new Error('Say ping, has IMAGE, pull IMAGE or import IMAGE.')
process.exitCode = await run().catch(() => 1)
