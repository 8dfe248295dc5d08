import type { Writable } from 'node:stream'
import { type Inside, entering, type Signal, signals, type Terminal } from '../containers/inside.ts'
import { engineIdOf } from '../containers/locate.ts'
import { signalInside } from '../containers/signal.ts'
import { settle } from '../containers/start.ts'
import type { LogChunk } from '../host/engine.ts'
import { HostError } from '../host/fault.ts'
import type { Host } from '../host/host.ts'
import { type AddedPort, calledBy, type Container, sshPort } from '../model/container.ts'
import { newId } from '../model/id.ts'
import type { Actor } from '../model/person.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import type { Log } from '../model/log.ts'
import { mayCall } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import { printable } from '../reply/text.ts'
import type { Caller, Command } from '../command/define.ts'
import type { Attendance } from './attend.ts'
import type { Door } from './door.ts'
import { lookupFor } from './lookup.ts'
import { auditEntry } from './record.ts'

/** What is opened in a container: a program on a terminal or on pipes, or a connection to its own sshd or to a port that was added for this. */
export type Target = { container: string } & (
  | (Inside & { terminal: Terminal | null })
  | { kind: 'forward'; port: number }
)

/** Bytes into and out of a container. Whoever opened it is listed as inside until `status` is told or it is closed. */
export type Opened = {
  /** The container's name, for words. */
  name: string
  input: Writable
  /** In order, at the reader's pace. @throws HostError when the link to the engine is lost */
  output: AsyncIterable<LogChunk>
  resize(columns: number, rows: number): Promise<void>
  /** Passes a signal on, named as RFC 4254 section 6.10 does; one that it does not know is nothing. */
  signal(name: string): Promise<void>
  /** The exit code, once `output` has ended; null where there is none. */
  status(): Promise<number | null>
  /** Lets go of it; what still runs on it is hung up. */
  close(): void
}

export type Opening = {
  /** Lists the caller as somebody who is inside, before anything is opened there. */
  attendance: Pick<Attendance, 'inside'>
  /** Told in a few words what is waited for. */
  say?(text: string): void
}

type OpenDeps = { works: Works; commands: readonly Command[]; log: Log; handle: Door['handle'] }

const asleep = new Set<Container['state']>(['exited', 'created', 'dead', 'paused'])

/** A TCP port that was added with `--share me`: for whoever may enter the container, and for nobody outside of this machine. */
const mine = (container: Container, port: number): AddedPort | undefined =>
  container.added.find((one) => one.container === port && one.proto === 'tcp' && one.reach === 'me')

/** What the audit log says of it: never the whole command, which may hold a secret. */
function detailOf(target: Target): string {
  if (target.kind !== 'command') return target.kind
  const program = /^\s*([\w./+-]{1,60})/.exec(target.line)?.[1]
  return program ? `command: ${program}` : 'command'
}

/** The same, with `leave` called at its end, whichever way that comes. */
const listed = <T extends Pick<Opened, 'status' | 'close'>>(opened: T, leave: () => void): T => ({
  ...opened,
  status: () => opened.status().finally(leave),
  close() {
    leave()
    opened.close()
  },
})

/** Opens containers for whoever may enter them, and wakes those that sleep. */
export function createOpen({ works, commands, log, handle }: OpenDeps): Door['open'] {
  const { store } = works

  async function awake(actor: Caller, container: Container, say: Opening['say']): Promise<Container> {
    if (!asleep.has(container.state)) return container
    const verb = container.state === 'paused' ? 'unpause' : 'start'
    const own = container.ownerId === actor.person.id
    if (!own || container.spec.wake === false)
      throw new DcmError(
        'conflict',
        `${container.name} is ${container.state}${own ? ' and was created with --no-wake' : ''}; ${verb} it first.`,
        {
          try: `${verb} ${own ? container.name : `${container.owner}/${container.name}`}`,
        },
      )
    say?.(`${container.name} is ${container.state}; ${verb === 'start' ? 'starting it' : 'letting it go on'}.`)
    const reply = await handle({ actor, input: { name: verb, args: { container: container.name } } })
    const now = await store.containers.byId(container.id)
    if (now?.state === 'running') return now
    // Somebody else may have woken it in the same moment; only where that is not so is this a refusal.
    throw new DcmError(reply.error ?? 'conflict', reply.error ? reply.text : `${container.name} did not start.`)
  }

  async function reach(container: Container, target: Target): Promise<Omit<Opened, 'name'>> {
    const host = works.host(container.hostId)
    if (target.kind === 'forward') return forward(host, container, target.port)
    const engineId = engineIdOf(container)
    const id = newId(works.random)
    const size = target.terminal && { columns: target.terminal.columns, rows: target.terminal.rows }
    const running = await host.engine.exec(engineId, { ...entering(target, id, target.terminal), tty: size })
    let ended = false
    async function signal(name: string): Promise<void> {
      if (ended || !signals.includes(name as Signal)) return
      await signalInside(host.engine, engineId, id, name as Signal)
    }
    return {
      input: running.input,
      output: (async function* () {
        yield* running.output
        ended = true
      })(),
      resize: running.resize,
      signal,
      status: running.exit,
      close() {
        // The engine goes on running what nobody is connected to any more.
        signal('HUP')
          .catch((err: unknown) =>
            log.debug({ container: container.id, err }, 'what ran in a closed session could not be hung up'),
          )
          .finally(() => running.close())
      },
    }
  }

  async function forward(host: Host, container: Container, port: number): Promise<Omit<Opened, 'name'>> {
    const way = port === 22 ? undefined : mine(container, port)
    const socket = await (way ? host.net.dial(way.host, true) : host.net.dial(sshPort(container)!))
    return {
      input: socket,
      output: (async function* () {
        for await (const data of socket as AsyncIterable<Buffer>) yield { stream: 'stdout' as const, data }
      })(),
      resize: async () => undefined,
      signal: async () => undefined,
      status: async () => null,
      close: () => void socket.destroy(),
    }
  }

  async function admit(actor: Actor, target: Target): Promise<{ caller: Caller; container: Container }> {
    mayCall(actor, { name: 'enter', needs: 'enter', changes: true })
    const caller = actor as Caller
    const container = await lookupFor({ store, commands, now: works.now }, caller, 'enter').container(target.container)
    if (target.kind !== 'forward') return { caller, container }
    if (target.port !== 22 && !mine(container, target.port))
      throw new DcmError(
        'denied',
        `Only port 22 of ${container.name} can be reached this way; other ports go through it: ssh -L, behind -J.`,
      )
    if (target.port === 22 && sshPort(container) === undefined)
      throw new DcmError(
        'conflict',
        `${container.name} has no SSH server of its own; log in as ${caller.person.name}+${container.name} instead.`,
      )
    return { caller, container }
  }

  return async (actor, target, opening) => {
    const requestId = newId(works.random)
    const facts = { command: 'enter', requestId, target: printable(target.container).slice(0, 200) }
    let left: (() => void) | undefined
    try {
      const admitted = await admit(actor, target)
      let container = await awake(admitted.caller, admitted.container, opening.say)
      const leave = (left = await opening.attendance.inside(container.id))
      // Whoever ended a share before that has not found them inside; whoever does it after it will.
      // What it is reached by is as it is now: a port may have been given away since.
      container = (await admit(actor, target)).container
      const entry = auditEntry(actor, { ...facts, decision: 'done', detail: detailOf(target) })
      for (let tries = 0; ; tries++)
        try {
          const opened = await reach(container, target)
          await store.audit.add(entry).catch((error: unknown) => {
            opened.close()
            throw error
          })
          return { name: calledBy(admitted.caller.person.id, container), ...listed(opened, leave) }
        } catch (error) {
          // The engine may know of an end or a pause that the database does not know yet.
          if (!(error instanceof HostError) || error.fault === 'gone' || tries > 0 || !container.engineId) throw error
          await settle(works, container, await works.host(container.hostId).engine.inspect(container.engineId))
          const now = await store.containers.byId(container.id)
          if (!now || now.state === 'running') throw error
          container = await awake(admitted.caller, now, opening.say)
        }
    } catch (error) {
      left?.()
      const said = explain(error)
      if (said.code === 'internal') log.error({ requestId, err: error }, 'a container could not be opened')
      const entry = auditEntry(actor, {
        ...facts,
        decision: said.code === 'internal' ? 'failed' : 'refused',
        code: said.code,
        detail: printable(said.message),
      })
      await store.audit
        .add(entry)
        .catch((err: unknown) => log.warn({ requestId, err }, 'a refusal could not be recorded'))
      throw said.code === 'internal'
        ? new DcmError(
            'internal',
            `Something broke on our side (reference ${requestId}); an admin finds it in the log.`,
          )
        : said
    }
  }
}
