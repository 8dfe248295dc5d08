import { commandExit } from '../host/exit.ts'
import type { Container } from '../model/container.ts'
import { DcmError } from '../reply/error.ts'
import { healthy } from './health.ts'
import { answers, lastWords, type Starting } from './start.ts'

/**
 * Waits until a container that was just started does its work: its SSH answers, so does HTTP on the published port
 * `health.port`, and its command has not failed.
 * @throws DcmError `conflict` with what it does not do and the end of its log
 */
export async function prove(
  run: Starting,
  container: Container,
  health: { port: number; path: string } | null,
): Promise<void> {
  await answers(run, container)
  const { engine, net } = run.host(container.hostId)
  const failed = async (why: string) => new DcmError('conflict', `${why}.${await lastWords(run, container)}`)
  if (health) {
    await run.say(`waiting for its health on port ${health.port}`)
    const port = container.ports.find(
      (one) => one.container === health.port && one.proto === 'tcp' && one.purpose === 'public',
    )
    const why = await healthy(run, net, port!.host, health.path, container.name, run.signal)
    if (why !== undefined) throw await failed(`${container.name} is not well on port ${health.port}: ${why}`)
  }
  if (container.spec.command.length === 0) return
  // What cannot run at all ends at once; SSH beside it would not show that.
  await run.sleep(1000)
  let log = ''
  for await (const chunk of engine.logs(container.engineId!, { tail: 20 })) log += chunk.data.toString('utf8')
  const seen = await engine.inspect(container.engineId!)
  const code = seen.state === 'running' ? commandExit(log) : (seen.exitCode ?? 255)
  if (code !== null && code !== 0) throw await failed(`The command of ${container.name} ended with exit code ${code}`)
}
