import { present } from '../core/containers/change.ts'
import { settle } from '../core/containers/start.ts'
import { isFault } from '../core/host/fault.ts'
import type { Container } from '../core/model/container.ts'
import { defineOperation } from '../core/operation/define.ts'
import { toData } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok } from '../core/reply/reply.ts'

type State = { sent?: true; now?: Container }

/** How long it is watched for its end: KILL always ends it, most others only where what runs says so. */
const patience = { KILL: 20_000, other: 1500 }
const up = new Set(['running', 'paused', 'restarting'])

const notRunning = (container: Container) =>
  new DcmError('conflict', `${container.name} is not running, so there is nothing to send a signal to.`, {
    try: `start ${container.name}`,
  })

/** Sends a signal. An end that follows is what was wanted, so nobody is told of it as of an accident. */
export const kill = defineOperation<'kill', State>({
  kind: 'kill',
  subject: (input) => `container:${input.containerId}`,
  doing: 'being sent a signal',
  async admit(tx, input) {
    const container = await present(tx, input.containerId)
    if (!container.engineId || !up.has(container.state)) throw notRunning(container)
    return {}
  },
  steps: [
    {
      name: 'send',
      async do(run) {
        const container = await present(run.store, run.input.containerId)
        try {
          await run.host(container.hostId).engine.kill(container.engineId!, run.input.signal)
        } catch (error) {
          // It ended before the signal came: that is what the next step finds.
          if (!isFault(error, 'taken')) throw error
        }
        return { sent: true }
      },
    },
    {
      name: 'look',
      async do(run) {
        const container = await present(run.store, run.input.containerId)
        const { engine } = run.host(container.hostId)
        const began = performance.now()
        const most = run.input.signal === 'KILL' ? patience.KILL : patience.other
        for (;;) {
          const seen = await engine.inspect(container.engineId!)
          const ended = !up.has(seen.state)
          if (ended || performance.now() - began > most) {
            await settle(run, container, seen)
            if (ended) await run.store.containers.update(container.id, { desired: 'exited' })
            return { now: await present(run.store, container.id) }
          }
          await run.sleep(100)
        }
      },
    },
  ],
  reply({ input, state, place }) {
    const now = state.now!
    const text = up.has(now.state)
      ? `${now.name} was sent ${input.signal} and goes on.`
      : `${now.name} was sent ${input.signal} and ended with exit code ${now.exitCode ?? 'unknown'}.`
    return ok(text, { data: toData(now, place) })
  },
})
