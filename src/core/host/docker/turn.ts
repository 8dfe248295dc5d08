import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../fault.ts'

const patience = 120_000

/**
 * Does something to a path while no other process of this machine does: two processes on one database share their
 * storages. An abstract Unix socket is exclusive, and free again however its holder ends (unix(7)).
 * @throws HostError `down` when another one holds it for two minutes
 */
export async function alone<T>(path: string, act: () => Promise<T>): Promise<T> {
  const name = `\0dcm:turn:${createHash('sha256').update(path).digest('hex').slice(0, 32)}`
  const end = performance.now() + patience
  for (;;) {
    const server = createServer((socket) => socket.destroy())
    try {
      server.listen(name)
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      if (performance.now() > end) throw new HostError('down', 'Another process works on the storage for too long.')
      await sleep(20)
      continue
    }
    try {
      return await act()
    } finally {
      server.close()
    }
  }
}
