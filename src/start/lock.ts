import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** Who serves a data folder, as others find it in `dcm.pid`. */
export type Serving = { pid: number; http: string; ssh: string | null; tree: string; instance: string }

/**
 * Takes a data folder for this process alone. An abstract Unix socket is exclusive and freed by the kernel however the
 * process ends (unix(7)); the file beside it only tells others who it is.
 * @returns what lets go of it, or who has it
 */
export async function takeFolder(
  dataDir: string,
): Promise<{ announce(serving: Serving): void; release(): void } | { taken: Serving | undefined }> {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 })
  const name = `\0dcm:${createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 32)}`
  const file = join(dataDir, 'dcm.pid')
  const server = createServer((socket) => socket.destroy())
  const mine = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen(name, () => resolve(true))
  })
  if (!mine) return { taken: read(file) }
  server.unref()
  return {
    announce: (serving) => writeFileSync(file, `${JSON.stringify(serving)}\n`, { mode: 0o644 }),
    release: () => {
      rmSync(file, { force: true })
      server.close()
    },
  }
}

function read(file: string): Serving | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Serving
  } catch {
    return undefined
  }
}
