import { z } from 'zod'
import { type Args, type Command, defineCommand } from '../../src/core/command/define.ts'
import { helpAll } from '../../src/core/command/help.ts'
import { parseLine, parseObject, parseWords, type Parsed } from '../../src/core/command/parse.ts'
import type { Call, Door, OperationView, Waiting } from '../../src/core/door/door.ts'
import type { Actor, Person } from '../../src/core/model/person.ts'
import { ended } from '../../src/core/reply/ended.ts'
import { DcmError } from '../../src/core/reply/error.ts'
import { info, ok, refusal, type Reply } from '../../src/core/reply/reply.ts'

const person = (name: string, role: Person['role'] = 'member'): Person => ({
  id: `p-${name}`,
  name,
  role,
  state: 'active',
  quota: {},
  createdAt: new Date(0),
})

const unused = () => Promise.reject(new Error('The stand-in runs its commands itself.'))
const command = <const T extends Args>(value: Omit<Command<T>, 'run' | 'confirms' | 'preview'>): Command =>
  defineCommand({ ...value, run: unused } as Command<T>)

/** A handful of commands of every sort that an adapter can meet. */
export const commands: readonly Command[] = [
  command({
    name: 'ps',
    about: 'List your containers.',
    needs: 'member',
    changes: false,
    args: {
      all: { kind: 'flag', about: 'Stopped ones too.', short: 'a' },
      name: { kind: 'text', about: 'Only these.', optional: true, flag: true, many: true },
    },
    gives: z.array(z.object({ name: z.string(), state: z.enum(['running', 'exited']), createdAt: z.date() })),
  }),
  command({
    name: 'create',
    about: 'Make a container.',
    examples: ['create web --image debian'],
    needs: 'member',
    changes: true,
    args: {
      name: { kind: 'container-name', about: 'What to call it.' },
      image: { kind: 'image', about: 'What to make it from.', flag: true },
      env: { kind: 'env', about: 'A variable.', flag: true, short: 'e', many: true, optional: true },
      memory: { kind: 'size', about: 'Memory.', flag: true, short: 'm', optional: true },
      restart: { kind: 'choice', about: 'When.', flag: true, of: ['no', 'unless-stopped'], default: 'no' },
      cmd: { kind: 'argv', about: 'What runs.', rest: true },
    },
  }),
  command({
    name: 'rm',
    about: 'Remove containers.',
    needs: 'own',
    changes: true,
    args: {
      name: { kind: 'container', about: 'Which.', each: true },
      force: { kind: 'flag', about: 'A running one too.', short: 'f' },
    },
  }),
  command({
    name: 'logs',
    about: 'Show a log.',
    needs: 'look',
    changes: false,
    args: { name: { kind: 'container', about: 'Whose.' } },
  }),
  command({
    name: 'exec',
    about: 'Run a program.',
    needs: 'enter',
    changes: true,
    args: {
      name: { kind: 'container', about: 'Where.' },
      cmd: { kind: 'argv', about: 'What runs.', rest: true },
    },
  }),
  command({
    name: 'build',
    about: 'Build an image.',
    needs: 'member',
    changes: true,
    begins: true,
    streams: true,
    args: {
      image: { kind: 'text', about: 'What to call it.' },
      dockerfile: { kind: 'document', about: 'What is built.' },
      file: { kind: 'text', about: 'Where it is.', flag: true, optional: true },
    },
  }),
  command({
    name: 'export',
    about: 'Get a container as a file.',
    needs: 'own',
    changes: false,
    args: { name: { kind: 'container', about: 'Which.' } },
  }),
  command({
    name: 'key add',
    about: 'Add a public key.',
    needs: 'member',
    changes: true,
    args: { key: { kind: 'line', about: 'The key.' } },
  }),
  command({ name: 'user ls', about: 'List members.', needs: 'admin', changes: false, args: {} }),
  command({
    name: 'help',
    about: 'Tell about commands.',
    needs: 'anyone',
    changes: false,
    args: { command: { kind: 'command', about: 'Which.', optional: true, many: true } },
  }),
  command({ name: 'whoami', about: 'Say who you are.', needs: 'anyone', changes: false, args: {} }),
]

type Open = { view: OperationView; owner: string; told: Set<(text: string) => void>; ended: Promise<void>; end(): void }

/**
 * A Door without a core behind it: members ann and bob with tokens `ann-token` and `bob-token`, and admin on the local
 * socket; containers are names. `create slow…` goes on until `finish`.
 */
export function createStandInDoor() {
  const people = new Map([
    ['ann-token', person('ann')],
    ['bob-token', person('bob')],
  ])
  const admin = person('admin', 'admin')
  const containers = new Map<string, Set<string>>([
    ['ann', new Set(['web', 'db'])],
    ['bob', new Set(['secret-of-bob'])],
    ['admin', new Set(['web'])],
  ])
  const calls: Call[] = []
  const answered = new Map<string, Promise<Reply>>()
  const operations = new Map<string, Open>()
  const state = { ready: true, down: false, health: 0, fileClosed: false }

  const own = (name: string) => containers.get(name) ?? new Set<string>()
  const find = (owner: string, name: string) => {
    if (!own(owner).has(name)) throw new DcmError('not_found', `You have no container called ${name}.`, { try: 'ps' })
    return name
  }

  function beginOperation(owner: string, name: string): Open {
    const { promise, resolve } = Promise.withResolvers<void>()
    const view: OperationView = {
      id: `op-${operations.size + 1}`,
      kind: 'create',
      state: 'running',
      progress: 'Making the container',
      reply: null,
    }
    const open: Open = { view, owner, told: new Set(), ended: promise, end: resolve }
    operations.set(view.id, open)
    own(owner).add(name)
    return open
  }

  /** Waits as the door's contract says: until it ends, `wait` is over or the signal comes. */
  async function settle(open: Open, waiting: Waiting = {}): Promise<void> {
    const tell = (text: string) => waiting.progress?.(text, open.view.id)
    if (open.view.state === 'running') tell(open.view.progress!)
    open.told.add(tell)
    const over = Promise.withResolvers<void>()
    const timer = waiting.wait === undefined ? undefined : setTimeout(over.resolve, waiting.wait)
    waiting.signal?.addEventListener('abort', () => over.resolve())
    if (waiting.signal?.aborted) over.resolve()
    await Promise.race([open.ended, over.promise])
    clearTimeout(timer)
    open.told.delete(tell)
  }

  const outcome = ({ view }: Open): Reply =>
    view.reply ?? info('It goes on.', { operation: { id: view.id, state: 'running', progress: view.progress ?? '' } })

  async function run(who: Person, { command, given, reserved }: Parsed, waiting: Waiting | undefined): Promise<Reply> {
    if (reserved.as !== undefined && who.role !== 'admin')
      throw new DcmError('denied', 'Only an admin may act for another member.')
    if (command.needs === 'admin' && who.role !== 'admin')
      throw new DcmError('denied', `${command.name} is for admins.`)
    const owner = reserved.as ?? who.name
    const text = (name: string) => String(given[name])
    switch (command.name) {
      case 'ps': {
        const names = [...own(owner)]
        return info(`You have ${names.length} containers.`, {
          table: { head: ['NAME', 'STATE'], rows: names.map((name) => [name, 'running']) },
          data: names.map((name) => ({ name, state: 'running' })),
        })
      }
      case 'create': {
        if (own(owner).has(text('name')))
          throw new DcmError('conflict', `You already have a container called ${text('name')}.`)
        if (given.image === undefined) throw new DcmError('usage', 'create needs --image.')
        const open = beginOperation(owner, text('name'))
        const done = ok(`Made ${text('name')}.`, {
          fields: { image: text('image') },
          code: `ssh ${text('name')}`,
          data: { name: text('name'), env: given.env ?? [], cmd: given.cmd ?? [] },
        })
        if (!text('name').startsWith('slow')) finish(open.view.id, done)
        await settle(open, waiting)
        return outcome(open)
      }
      case 'rm': {
        const names = (given.name as string[]).map((name) => find(owner, name))
        if (!reserved.yes && given.force === undefined)
          return {
            text: `This removes ${names.join(', ')} and what is in it.`,
            tone: 'warn',
            error: 'conflict',
            data: { confirm: true, line: `rm ${names.join(' ')} --yes`, words: ['rm', ...names, '--yes'], adds: {} },
            actions: [{ label: 'Remove', line: `rm ${names.join(' ')} --yes`, danger: true }],
          }
        for (const name of names) own(owner).delete(name)
        return ok(`Removed ${names.join(', ')}.`)
      }
      case 'logs':
        return info(`The log of ${find(owner, text('name'))}.`, {
          code: 'one\n\u001b]0;owned\u0007\u001b[2Jtwo \u202egnp.exe',
        })
      case 'build': {
        const open = beginOperation(owner, text('image'))
        await settle(open, waiting)
        return outcome(open)
      }
      case 'exec':
        return ended(`It in ${find(owner, text('name'))}`, {
          ...{ name: text('name'), code: 0, late: false, output: 'ran\n', cut: false, changed: null },
          whole: 'ssh ada+web@host -- …',
        })
      case 'export': {
        find(owner, text('name'))
        return info('The file.', { file: { name: `${text('name')}.tar`, type: 'application/x-tar', bytes: bytes() } })
      }
      case 'key add':
        return ok('Added the key.', { data: { key: given.key } })
      case 'help':
        return helpAll(commands, who.role === 'admin')
      default:
        return info(`You are ${owner}.`, { data: { name: owner } })
    }
  }

  async function* bytes() {
    try {
      for (let at = 0; at < 64; at++) yield new Uint8Array(16 * 1024).fill(at)
    } finally {
      state.fileClosed = true
    }
  }

  /** Ends an operation, for those who wait and those who ask later. */
  function finish(id: string, reply: Reply) {
    const open = operations.get(id)!
    open.view = {
      ...open.view,
      state: reply.error ? 'failed' : 'done',
      reply: { ...reply, operation: { id, state: reply.error ? 'failed' : 'done' } },
    }
    open.end()
  }

  async function handle(call: Call, waiting?: Waiting): Promise<Reply> {
    calls.push(call)
    try {
      if (!call.actor.person) throw new DcmError('unlinked', 'DCM does not know you.')
      if (state.down) throw new DcmError('unavailable', 'The database does not answer; try again shortly.')
      const { input } = call
      if ('name' in input && input.name === 'whoami' && 'boom' in input.args) throw new Error('boom at /etc/secret')
      const parsed =
        'line' in input
          ? parseLine(commands, input.line)
          : 'words' in input
            ? parseWords(commands, input.words)
            : parseObject(
                commands.find(({ name }) => name === input.name)!,
                input.args,
              )
      for await (const _ of call.body ?? []) continue
      return await run(call.actor.person, parsed, waiting)
    } catch (error) {
      return refusal(
        error instanceof DcmError
          ? error
          : new DcmError('internal', 'Something broke (reference x).', { cause: error }),
      )
    }
  }

  const door: Door = {
    commands,
    async identify(credential, from) {
      if (state.down) throw new DcmError('unavailable', 'The database does not answer; try again shortly.')
      const who =
        credential.kind === 'local' ? admin : credential.kind === 'token' ? people.get(credential.secret) : undefined
      if (!who) throw new DcmError('unlinked', 'That token is not good; make a new one with "dcm token new".')
      return {
        person: who,
        ...from,
        ...(credential.kind === 'token' ? { tokenId: `t-${who.name}` } : {}),
      } satisfies Actor
    },
    login: async () => ({ refused: true, why: null }),
    attend: async (actor) => ({
      id: 's1',
      who: async () => actor,
      doing: () => undefined,
      inside: async () => () => undefined,
      left: async () => undefined,
    }),
    async open(_, { container }) {
      throw new DcmError('not_found', `You have no container called ${container}.`)
    },
    handle(call, waiting) {
      if (!call.idempotencyKey) return handle(call, waiting)
      const key = `${call.actor.person?.id} ${call.idempotencyKey}`
      const reply = answered.get(key) ?? handle(call, waiting)
      answered.set(key, reply)
      return reply
    },
    async complete(actor, line) {
      const last = line.split(' ').at(-1)!
      const words = line.includes(' ') ? [...own(actor.person!.name)] : commands.map(({ name }) => name)
      return words.filter((word) => word.startsWith(last))
    },
    async operation(actor, id, waiting) {
      const open = operations.get(id)
      if (!open || open.owner !== actor.person?.name) throw new DcmError('not_found', `You have no operation ${id}.`)
      if (open.view.state === 'running' && waiting?.wait !== 0) await settle(open, waiting)
      return open.view
    },
    async health() {
      state.health++
      const open = [...operations.values()].filter(({ view }) => view.state === 'running').length
      return {
        ready: state.ready,
        settled: open === 0,
        open,
        problems: state.ready ? [] : ['The engine does not answer.'],
      }
    },
  }

  return {
    door,
    calls,
    state,
    finish,
    /** Says how an operation is getting on. */
    tell: (id: string, text: string) => {
      const open = operations.get(id)!
      open.view = { ...open.view, progress: text }
      for (const told of open.told) told(text)
    },
    operations: () => [...operations.values()].map(({ view }) => view),
    containers: (owner: string) => [...own(owner)],
  }
}
