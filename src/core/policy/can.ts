import type { Caller, Command, Need } from '../command/define.ts'
import type { Container, ShareLevel } from '../model/container.ts'
import type { Actor, PersonState } from '../model/person.ts'
import { DcmError } from '../reply/error.ts'

/** Whether a scoped token's list names this command: by its whole name, or by its noun (`port` for `port add`). */
const inScope = (list: readonly string[] | null, name: string) =>
  list === null || list.some((allowed) => allowed === name || name.startsWith(`${allowed} `))

/** What somebody in a chat is told whom DCM does not know: how to become known, and nothing else. */
export const stranger = (): DcmError =>
  new DcmError(
    'unlinked',
    'DCM does not know you here yet: type link for a code that ties this account to yours, or ask an admin to add you.',
    { try: 'link' },
  )

/**
 * Why somebody may not be here, in a sentence for them; undefined when they may. No state is that of no member any more;
 * `keyed` says whether the key that they came in with is still theirs.
 */
export function whyNot(state: PersonState | undefined, keyed = true): string | undefined {
  if (state === 'suspended') return 'Your access is suspended; an admin can resume it.'
  if (state !== 'active') return 'You are no longer a member here.'
  return keyed ? undefined : 'The key that you came in with is no longer yours here.'
}

const aboutContainers: ReadonlySet<Need> = new Set(['look', 'enter', 'operate', 'own'])

/**
 * Whether this actor may use this command at all; what it is used on is decided when its arguments are resolved.
 * @throws DcmError `unlinked` or `denied`
 */
export function mayCall(actor: Actor, command: Pick<Command, 'name' | 'needs' | 'changes' | 'beyond'>): void {
  const { person, scope } = actor
  if (command.needs === 'anyone' && !(command.changes && person)) return
  if (!person)
    throw new DcmError('unlinked', 'DCM does not know you yet: ask an admin to add you, or link this account.', {
      try: 'help',
    })
  const why = whyNot(person.state)
  if (why !== undefined) throw new DcmError(person.state === 'suspended' ? 'denied' : 'unlinked', why)
  if (command.needs === 'admin' && person.role !== 'admin')
    throw new DcmError('denied', `${command.name} is for admins.`, { try: 'help' })
  if (!scope) return
  if (command.changes === 'rights')
    throw new DcmError(
      'denied',
      `${actor.surface === 'hook' ? 'A hook' : 'A narrowed token'} may not use ${command.name}: who may do what is for people to change.`,
    )
  if (!inScope(scope.commands, command.name))
    throw new DcmError(
      'denied',
      `This token may not use ${command.name}; it is good for ${scope.commands?.join(', ') ?? 'containers'} only.`,
    )
  // Good for some containers says nothing about the site: an admin's view of others is not among them.
  if (
    scope.containers !== null &&
    (command.beyond || (!aboutContainers.has(command.needs) && (command.changes || command.needs === 'admin')))
  )
    throw new DcmError(
      'denied',
      `This token is good for ${scope.containers.join(', ')} only, so it may not use ${command.name}.`,
    )
}

/** The same as an answer, for what only offers or hides. */
export function canCall(actor: Actor, command: Command): boolean {
  try {
    mayCall(actor, command)
    return true
  } catch (error) {
    if (error instanceof DcmError) return false
    throw error
  }
}

/**
 * Whether this actor may ask how an operation stands: their own ones, or any as an admin. A token sees no more of them
 * than it could have begun itself. `target` is what was typed, the container first.
 */
export function mayFollow(
  actor: Caller,
  operation: { ownerId: string | null; actorId: string | null; command: string; target: string | null },
): boolean {
  const { person, scope } = actor
  const theirs = operation.ownerId === person.id || operation.actorId === person.id || person.role === 'admin'
  if (!theirs || !scope) return theirs
  if (!inScope(scope.commands, operation.command)) return false
  return (
    scope.containers === null ||
    (operation.ownerId === person.id && scope.containers.includes(operation.target?.split(' ')[0] ?? ''))
  )
}

/** Whether this actor may name other members: an admin, unless they came with a token for some containers. */
export const mayName = (actor: Caller): boolean => actor.person.role === 'admin' && !actor.scope?.containers

/** What a guest gets of each level: never to operate, and never what is only its owner's. */
const gives: Record<ShareLevel, ReadonlySet<Need>> = {
  view: new Set(['look']),
  exec: new Set(['look', 'enter']),
  ssh: new Set(['look', 'enter']),
}

/** Whether this actor may do what `need` says to this container. The only rule about containers there is. */
export function mayTouch(
  actor: Caller,
  need: Need,
  container: Pick<Container, 'ownerId' | 'name' | 'shares'>,
): boolean {
  // The names in a scope are the caller's own: another member may have a container of the same name.
  if (
    actor.scope?.containers &&
    (container.ownerId !== actor.person.id || !actor.scope.containers.includes(container.name))
  )
    return false
  if (container.ownerId === actor.person.id) return true
  if (container.shares.some((share) => share.guestId === actor.person.id && gives[share.level].has(need))) return true
  return actor.person.role === 'admin' && need !== 'anyone'
}
