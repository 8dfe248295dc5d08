import { readExit } from '../core/containers/exit.ts'
import { present } from '../core/containers/change.ts'
import { sharedNoMore, stillMay } from '../core/containers/guest.ts'
import { HostError } from '../core/host/fault.ts'
import type { Container } from '../core/model/container.ts'
import { defineOperation, type Run } from '../core/operation/define.ts'
import { DcmError } from '../core/reply/error.ts'
import { info, ok } from '../core/reply/reply.ts'

type State = { name: string; until: string; how?: { ended: boolean; code: number | null; state: string } }

/** How often it is looked at; an end that happens meanwhile is seen by the upkeep, which writes it down. */
const look = 1000
/** Looks between two at its log, where the end of a command is told. */
const deepEvery = 3

const over = new Set<Container['state']>(['exited', 'dead', 'missing'])

/** How it has ended, once it has: the command's own end comes first, for its sshd goes on. */
function ending(container: Container): State['how'] {
  const { spec, commandExit, exitCode, state } = container
  if (spec.command.length > 0 && commandExit !== null) return { ended: true, code: commandExit, state }
  return over.has(state) ? { ended: true, code: exitCode, state } : undefined
}

async function deeper(run: Run<'wait', State>, container: Container): Promise<void> {
  if (container.spec.command.length === 0 || container.commandExit !== null || !container.engineId) return
  try {
    await readExit(run, container)
  } catch (error) {
    // It is looked at again in a moment.
    if (!(error instanceof HostError)) throw error
  }
}

/** Waits for a container's end in the name of whoever asked. It locks nothing, and a restart of DCM does not end it. */
export const wait = defineOperation<'wait', State>({
  kind: 'wait',
  subject: (_, id) => `wait:${id}`,
  doing: 'being waited for',
  waits: true,
  async admit(tx, input, _, works) {
    const container = await present(tx, input.containerId)
    if ((await tx.operations.openBy(input.byId, 'wait')) >= 50)
      throw new DcmError('limited', 'You wait for 50 ends already; let some of them end first.', { try: 'ps' })
    return { name: container.name, until: new Date(works.now().getTime() + input.lives).toISOString() }
  },
  steps: [
    {
      name: 'wait',
      async do(run) {
        for (let looks = 0; ; looks++) {
          let container = await run.store.containers.byId(run.input.containerId)
          if (!container) return { how: { ended: true, code: null, state: 'removed' } }
          // Its last words are in the log when it has ended, also when nobody has read them yet.
          if (looks % deepEvery === 0 || over.has(container.state)) await deeper(run, container)
          container = (await run.store.containers.byId(container.id)) ?? container
          const how = ending(container)
          if (how) return { how }
          const person = await run.store.people.byId(container.ownerId)
          if (person?.state === 'leaving') return { how: { ended: false, code: null, state: 'removing' } }
          if (!(await stillMay(run, run.input.byId, 'look', container))) throw sharedNoMore(container)
          if (run.now() >= new Date(run.state.until))
            return { how: { ended: false, code: null, state: container.state } }
          if (run.signal.aborted) throw new DcmError('unavailable', 'DCM is stopping.')
          await run.sleep(look)
        }
      },
    },
  ],
  reply({ state: { name, how } }) {
    const { ended, code, state } = how!
    const data = { name, ended, exit_code: code, state }
    if (!ended) return info(`${name} has not ended: it is ${state}.`, { data })
    if (state === 'removed') return ok(`${name} was removed.`, { data })
    const whose = state === 'running' || state === 'paused' ? `The command of ${name}` : name
    return ok(`${whose} ended${code === null ? '; nobody saw its exit code' : ` with exit code ${code}`}.`, {
      data,
      actions: [{ label: 'Show its log', line: `logs ${name}` }],
    })
  },
})
