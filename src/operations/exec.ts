import { lockMember } from '../core/containers/admit.ts'
import { present } from '../core/containers/change.ts'
import { sharedNoMore, shutOut, stillMay } from '../core/containers/guest.ts'
import { running } from '../core/containers/inside.ts'
import { signalInside } from '../core/containers/signal.ts'
import { type Changed, createOutput } from '../core/containers/output.ts'
import { HostError, isFault } from '../core/host/fault.ts'
import type { Container } from '../core/model/container.ts'
import { formatDuration } from '../core/model/units.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { wholeLine } from '../core/reply/container.ts'
import { DcmError } from '../core/reply/error.ts'
import { ended } from '../core/reply/ended.ts'

type State = {
  name: string
  whole: string
  code?: number | null
  output?: string
  cut?: boolean
  changed?: Changed
  late?: boolean
}
type Mine = Run<'exec', State>

/** Written down before anything runs, so that no later try runs it again. */
const begun = 'running inside'

/** Why nothing runs inside a container that stands still. */
function still({ name, state }: Pick<Container, 'name' | 'state'>, cause?: unknown): DcmError {
  return state === 'paused'
    ? new DcmError('conflict', `${name} is paused, so nothing can run inside it until it goes on.`, {
        cause,
        try: `unpause ${name}`,
      })
    : new DcmError('conflict', `${name} is not running, so nothing can run inside it.`, { cause, try: `start ${name}` })
}

/** Programs that somebody runs at a time: each is a connection to the engine, and a stream that DCM reads. */
const most = 20

const cutOff = () =>
  new DcmError(
    'conflict',
    'DCM or Docker was cut off while it ran, so its outcome is not known; look inside before you run it again.',
  )

/** Ends all that it has started, wherever it has put itself. */
async function endIt(run: Mine, engineId: string): Promise<void> {
  try {
    await signalInside(run.host(run.settings.hostId).engine, engineId, run.id, 'KILL')
  } catch (error) {
    // The container may have ended, and it with it.
    if (!(error instanceof HostError) || error.fault === 'down') throw error
  }
}

/** Runs one program inside a container, once at most, for so long and with so much output at most. */
export const exec = defineOperation<'exec', State>({
  kind: 'exec',
  subject: (_, id) => `exec:${id}`,
  doing: 'running',
  async admit(tx, input, _id, works) {
    const container = await present(tx, input.containerId)
    // A suspended member runs nothing, neither now nor by a schedule; an admin, or whom it is shared with, may.
    if (input.byId === null || input.byId === container.ownerId) await lockMember(tx, container.ownerId)
    if (container.state !== 'running') throw still(container)
    if (input.byId !== null && (await tx.operations.openBy(input.byId, 'exec')) >= most)
      throw new DcmError('limited', `You run ${most} programs already; let some of them end first.`, { try: 'ps' })
    const by = input.byId === null || input.byId === container.ownerId ? null : await tx.people.byId(input.byId)
    return { name: container.name, whole: wholeLine(container, by?.name ?? container.owner, works.place) }
  },
  steps: [
    {
      name: 'run',
      async do(run) {
        const row = await run.store.operations.byId(run.id)
        if (row?.progress === begun) throw cutOff()
        const container = await present(run.store, run.input.containerId)
        if (!container.engineId) throw new DcmError('conflict', `${container.name} is gone from Docker.`)
        await run.say(begun)
        const output = createOutput()
        try {
          const { engine } = run.host(container.hostId)
          const program = await engine.exec(container.engineId, {
            ...running(run.input.argv, run.id, run.input.folder),
            tty: null,
            input: false,
          })
          let [late, shut] = [false, false]
          const stop = () =>
            endIt(run, container.engineId!)
              .then(undefined, () => undefined)
              .finally(() => program.close())
          const timer = setTimeout(() => {
            late = true
            void stop()
          }, run.input.lives)
          const over = new AbortController()
          if (run.input.byId !== null)
            void shutOut(run, run.input.byId, container, over.signal).then((out) => {
              shut = out
              if (out) void stop()
            })
          const leave = () => program.close()
          run.signal.addEventListener('abort', leave)
          try {
            for await (const chunk of program.output) output.take(chunk)
          } catch (error) {
            // Closed by us, it ends in the middle of whatever was coming.
            if (!late && !shut) throw error
          } finally {
            over.abort()
            clearTimeout(timer)
            run.signal.removeEventListener('abort', leave)
          }
          // Also when it ended between two looks: what it said is not for who may not enter any more.
          const { byId } = run.input
          if (shut || (byId !== null && !(await stillMay(run, byId, 'enter', container)))) throw sharedNoMore(container)
          const { text, cut, changed } = output.end()
          return { output: text, cut, changed, late, code: late ? null : await program.exit() }
        } catch (error) {
          if (isFault(error, 'taken')) throw still(await present(run.store, container.id), error)
          if (isFault(error, 'down')) throw cutOff()
          throw error
        }
      },
    },
  ],
  reply: ({ input, state }) =>
    ended(
      state.late
        ? `${input.argv[0]} did not end within ${formatDuration(input.lives)} in ${state.name} and was killed.`
        : `${input.argv[0]} in ${state.name}`,
      {
        ...{ name: state.name, code: state.code ?? null, late: state.late ?? false },
        ...{ output: state.output ?? '', cut: state.cut ?? false, changed: state.changed ?? null, whole: state.whole },
      },
    ),
})
