import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP link that a test can make slow, silent or broken; on a loopback port of its own. */
export type Link = AsyncDisposable & {
  port: number
  /** Connections that are open now. */
  open(): number
  /** Nothing passes any more, in either direction, and nobody is told; new connections are taken and stay silent. */
  stall(): void
  /** What was held back passes, and all that follows. */
  flow(): void
  /** Every connection is reset. */
  cut(): void
}

/** Puts a link in front of a port of the loopback. */
export async function createLink(target: number): Promise<Link> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let stalled = false
  const server = createServer({ pauseOnConnect: true }, (near) => {
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (chunk) => {
        to.write(chunk)
      })
      from.on('error', end)
      from.on('close', end)
    }
    if (stalled) far.pause()
    else near.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    open: () => pairs.size,
    stall() {
      stalled = true
      for (const [near, far] of pairs) {
        near.pause()
        far.pause()
      }
    },
    flow() {
      stalled = false
      for (const [near, far] of pairs) {
        near.resume()
        far.resume()
      }
    },
    cut() {
      for (const [near, far] of pairs) {
        near.resetAndDestroy()
        far.destroy()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const [near, far] of pairs) {
        near.destroy()
        far.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
