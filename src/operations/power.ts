import { readGrants } from '../core/containers/admit.ts'
import { admitRunning, checkStillGranted, present } from '../core/containers/change.ts'
import { freshUse } from '../core/containers/disk.ts'
import { engineIdOf } from '../core/containers/locate.ts'
import { settle, startAgain } from '../core/containers/start.ts'
import { isFault } from '../core/host/fault.ts'
import type { Container, Desired } from '../core/model/container.ts'
import type { Place } from '../core/model/place.ts'
import { defineOperation, type Run, type Works } from '../core/operation/define.ts'
import { toData, toFields } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ok, type Reply } from '../core/reply/reply.ts'
import type { Tables } from '../core/store/store.ts'

/** `before` is what was wanted when it began; `now` the container as it was when it had ended. */
type State = { before: Desired; now?: Container }
type Power = 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'revive'

const subject = (input: { containerId: string }) => `container:${input.containerId}`

/** Looks once more and stores what is wanted from now on, together with what is. */
async function settleAs(run: Run<Power, State>, desired: Desired): Promise<{ now: Container }> {
  const container = await present(run.store, run.input.containerId)
  const seen = await run.host(container.hostId).engine.inspect(engineIdOf(container))
  await settle(run, container, seen)
  await run.store.containers.update(container.id, { desired })
  return { now: await present(run.store, container.id) }
}

/** Pauses what is not paused, or lets what is go on: a step may be done again. */
async function setPaused(run: Run<Power, State>, paused: boolean): Promise<{ now: Container }> {
  const container = await present(run.store, run.input.containerId)
  const { engine } = run.host(container.hostId)
  const id = engineIdOf(container)
  if (((await engine.inspect(id)).state === 'paused') !== paused) await engine[paused ? 'pause' : 'unpause'](id)
  return settleAs(run, paused ? 'paused' : 'running')
}

const told =
  (text: (container: Container) => string, full = false) =>
  ({ state, place }: { state: State; place: Place }): Reply => {
    const now = state.now!
    return ok(text(now), {
      ...(full ? { fields: toFields(now, place), private: true as const } : {}),
      data: toData(now, place),
    })
  }

const startStep = {
  name: 'start',
  async do(run: Run<'start' | 'restart', State>) {
    await run.say('starting')
    await startAgain(run, await present(run.store, run.input.containerId))
    return settleAs(run, 'running')
  },
}

/** What was not wanted running before is stopped again, and gives its share back. */
async function release(run: Run<'start' | 'restart', State>): Promise<void> {
  if (run.state.before === 'running') return
  const container = await run.store.containers.byId(run.input.containerId)
  if (!container) return
  try {
    if (container.engineId) await run.host(container.hostId).engine.stop(container.engineId, 5)
  } catch (error) {
    // What somebody took away in Docker has nothing to stop; trying for ever would keep its lock for ever.
    if (!isFault(error, 'gone')) throw error
  }
  await run.store.containers.update(container.id, { desired: 'exited' })
}

export const start = defineOperation<'start', State>({
  kind: 'start',
  subject,
  doing: 'being started',
  before: freshUse,
  async admit(tx, input, _, works) {
    const container = await present(tx, input.containerId)
    if (container.state === 'paused')
      throw new DcmError('conflict', `${container.name} is paused.`, { try: `unpause ${container.name}` })
    await admitRunning(tx, container, works)
    return { before: container.desired }
  },
  steps: [startStep],
  release,
  reply: told((container) => `${container.name} is running.`, true),
})

export const restart = defineOperation<'restart', State>({
  kind: 'restart',
  subject,
  doing: 'being restarted',
  before: freshUse,
  async admit(tx, input, _, works) {
    const container = await present(tx, input.containerId)
    await admitRunning(tx, container, works)
    return { before: container.desired === 'paused' ? 'running' : container.desired }
  },
  steps: [
    {
      name: 'stop',
      async do(run) {
        await run.say('stopping')
        const container = await present(run.store, run.input.containerId)
        await run.host(container.hostId).engine.stop(engineIdOf(container), run.input.seconds)
      },
    },
    startStep,
  ],
  release,
  reply: told((container) => `${container.name} was restarted.`, true),
})

export const stop = defineOperation<'stop', State>({
  kind: 'stop',
  subject,
  doing: 'being stopped',
  async admit(tx, input) {
    return { before: (await present(tx, input.containerId)).desired }
  },
  steps: [
    {
      name: 'stop',
      async do(run) {
        await run.say('stopping')
        const container = await present(run.store, run.input.containerId)
        await run.host(container.hostId).engine.stop(engineIdOf(container), run.input.seconds)
        return settleAs(run, 'exited')
      },
    },
  ],
  reply: told((container) => `${container.name} is stopped; its ports stay reserved and its files are kept.`),
})

export const pause = defineOperation<'pause', State>({
  kind: 'pause',
  subject,
  doing: 'being paused',
  async admit(tx, input) {
    const container = await present(tx, input.containerId)
    if (container.state !== 'running' && container.state !== 'paused')
      throw new DcmError('conflict', `${container.name} is not running, so it cannot be paused.`, {
        try: `start ${container.name}`,
      })
    return { before: container.desired }
  },
  steps: [{ name: 'pause', do: (run) => setPaused(run, true) }],
  reply: told(
    (container) => `${container.name} is paused: it keeps its memory and gets no processor time until it is unpaused.`,
  ),
})

export const unpause = defineOperation<'unpause', State>({
  kind: 'unpause',
  subject,
  doing: 'being unpaused',
  async admit(tx, input) {
    const container = await present(tx, input.containerId)
    if (container.state !== 'paused')
      throw new DcmError('conflict', `${container.name} is not paused.`, { try: `inspect ${container.name}` })
    return { before: container.desired }
  },
  steps: [{ name: 'unpause', do: (run) => setPaused(run, false) }],
  reply: told((container) => `${container.name} is running again.`),
})

/** Used by reconciling: what is wanted running and was lost is started again, and paused again if it was paused. */
export const revive = defineOperation<'revive', State>({
  kind: 'revive',
  subject,
  doing: 'being started again',
  async admit(tx: Tables, input: { containerId: string }, _: string, works: Works) {
    const container = await present(tx, input.containerId)
    if (container.desired !== 'running' && container.desired !== 'paused')
      throw new DcmError('conflict', `${container.name} is not wanted running.`)
    checkStillGranted(readGrants(await tx.grants.lock(container.ownerId)), container, works.settings.ports)
    return { before: container.desired }
  },
  steps: [
    {
      name: 'start',
      async do(run) {
        await startAgain(run, await present(run.store, run.input.containerId))
      },
    },
    // Last, for what is stored and read again has no dates in it.
    { name: 'settle', do: (run) => (run.state.before === 'paused' ? setPaused(run, true) : settleAs(run, 'running')) },
  ],
  reply: told((container) => `${container.name} is running again.`),
})
