import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createClient } from './engine.ts'
import { median, type Row } from './measure.ts'

const tree = join(import.meta.dirname, '..')

/** Resident memory of a process, in megabytes. */
export async function resident(pid: number): Promise<number> {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(match?.[1] ?? 0) / 1024)
}

/** Milliseconds from spawn until /readyz is 200, and memory a few seconds later: three starts of a folder that has been started before. */
export async function benchStart(
  options: { dataDir: string; databaseUrl: string | undefined; what: string; aim: string; memoryAim: string },
  say: (line: string) => void,
): Promise<Row[]> {
  say(`  start on ${options.what}`)
  const times: number[] = []
  const sizes: number[] = []
  const port = 18_990
  for (let at = 0; at < 4; at++) {
    const { DATABASE_URL: _, ...env } = process.env
    const started = performance.now()
    const child = spawn(process.execPath, ['--max-semi-space-size=4', '--import', './src/preload.ts', 'src/main.ts'], {
      cwd: tree,
      env: {
        ...env,
        NODE_COMPILE_CACHE: join(tree, 'node_modules/.cache/dcm'),
        DCM_DATA_DIR: options.dataDir,
        DCM_HTTP_ADDR: `127.0.0.1:${port}`,
        ...(options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : {}),
      },
      stdio: 'ignore',
    })
    for (;;) {
      const client = createClient({ host: '127.0.0.1', port })
      const status = await client.call('GET', '/readyz').then(
        (answer) => answer.status,
        () => 0,
      )
      client.close()
      if (status === 200) break
      if (performance.now() - started > 180_000 || child.exitCode !== null) throw new Error('DCM did not become ready')
      await sleep(15)
    }
    const took = performance.now() - started
    await sleep(at === 0 ? 60_000 : 4000)
    // The first start builds images and is not counted.
    if (at > 0) {
      times.push(took)
      sizes.push(await resident(child.pid!))
    }
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return [
    {
      what: `ready after start, ${options.what}`,
      dcm: `${Math.round(median(times))} ms`,
      other: '',
      ratio: '',
      aim: options.aim,
    },
    {
      what: `resident memory when idle, ${options.what}`,
      dcm: `${median(sizes)} MB`,
      other: '',
      ratio: '',
      aim: options.memoryAim,
    },
  ]
}
