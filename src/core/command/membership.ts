import type { Grant } from '../model/grant.ts'
import type { Group } from '../model/group.ts'
import type { Delivery, Hook, PlaceName, Scheme } from '../model/hook.ts'
import type { Person, PersonState, Role } from '../model/person.ts'
import type { Quota, Resource } from '../model/quota.ts'
import type { NoticeKind, noticeKinds } from '../model/notice.ts'
import type { Visitor } from '../model/visitor.ts'
import type { Reply } from '../reply/reply.ts'
import type { Caller } from './define.ts'
import type { Key, Connected, Token, GrantRow, Allowance, AuditRow, RequestView, Check, Capacity } from './views.ts'

/** What a command may ask for of members: who they are, what they may, and how DCM knows and reaches them. */
export type Membership = {
  people: {
    add(wish: { name: string; role: Role; keys: string[]; visitor?: Visitor }): Promise<{ person: Person; keys: Key[] }>
    list(): Promise<(Person & { containers: number; keys: number })[]>
    /** @throws DcmError when this would leave no active admin */
    setState(person: Person, state: PersonState): Promise<Person>
    /** What `user rm` would remove. */
    belongings(person: Person): Promise<{
      containers: string[]
      images: string[]
      volumes: string[]
      networks: string[]
      keys: number
      tokens: number
      grants: string[]
      hooks: string[]
      schedules: number
      shares: number
      ports: number
      storage: number
    }>
  }
  kept: {
    /** Storages of members who are gone; `name` and `since`, where those are known. */
    list(): Promise<{ id: string; name: string | null; since: Date | null; size: number }[]>
    /** The one of a former member by name or id. @throws DcmError `not_found`, or `conflict` when several had that name */
    find(which: string): Promise<{ id: string; name: string | null; size: number }>
    remove(id: string): Promise<void>
  }
  invites: {
    /** A code that enrols a key for this member, who is added if there is none; earlier codes are void. `lives` in milliseconds. */
    add(name: string, lives: number): Promise<{ code: string; expiresAt: Date; added: boolean }>
  }
  sessions: {
    /** SSH connections: the caller's own, or everybody's. @throws DcmError `denied` */
    list(all: boolean): Promise<Connected[]>
    /** Has one closed, wherever it is. @throws DcmError `not_found` */
    end(id: string): Promise<Connected>
  }
  outcomes: {
    /** An operation of the caller's, any for an admin; `reply` once it has ended. @throws DcmError `not_found` */
    find(id: string): Promise<{
      command: string
      target: string | null
      progress: string | null
      createdAt: Date
      reply: Reply | null
    }>
  }
  keys: {
    /** @throws DcmError with the reason when the text is not one acceptable OpenSSH public key */
    add(ownerId: string, text: string): Promise<Key>
    list(ownerId: string): Promise<Key[]>
    /** By id, fingerprint or comment. @throws DcmError `not_found`, or `conflict` when several have that comment */
    find(ownerId: string, which: string): Promise<Key>
    /** The same, and removes it. */
    remove(ownerId: string, which: string): Promise<Key>
  }
  tokens: {
    /** @returns the secret too, this once */
    add(wish: {
      ownerId: string
      label: string
      commands: string[] | null
      containers: string[] | null
      lives: number
    }): Promise<{ token: Token; secret: string }>
    list(ownerId: string): Promise<Token[]>
    remove(ownerId: string, which: string): Promise<Token>
  }
  grants: {
    give(person: Person, thing: string, grant: Grant, lives: number | undefined, by: Person): Promise<GrantRow>
    revoke(person: Person, thing: string): Promise<GrantRow>
    list(person: Person): Promise<GrantRow[]>
  }
  groups: {
    /** @throws DcmError `conflict` for a name that is taken */
    add(name: string): Promise<Group>
    list(): Promise<(Group & { members: number })[]>
    view(group: Group): Promise<{ group: Group; members: string[]; grants: GrantRow[] }>
    /** Names of those that a member is in. */
    of(person: Person): Promise<string[]>
    join(group: Group, person: Person): Promise<void>
    /** @throws DcmError `not_found` when they are not in it */
    leave(group: Group, person: Person): Promise<void>
    set(group: Group, changes: Partial<Quota>): Promise<Group>
    unset(group: Group, resources: Resource[]): Promise<Group>
    give(group: Group, grant: Grant, lives: number | undefined, by: Person): Promise<GrantRow>
    /** @throws DcmError `not_found` */
    revoke(group: Group, grant: Grant): Promise<GrantRow>
    remove(group: Group): Promise<void>
  }
  quota: {
    of(person: Person): Promise<Allowance[]>
    site(): Promise<Quota>
    set(person: Person, changes: Partial<Quota>): Promise<void>
    /** Gives a member the site's default again. */
    unset(person: Person, resources: Resource[]): Promise<void>
    setSite(changes: Partial<Quota>): Promise<void>
    capacity(): Promise<Capacity[]>
    setReserve(memory: number): Promise<void>
  }
  site: {
    devices(): Promise<{ name: string; path: string; about: string }[]>
    /** @returns whether it is there now, as far as this process can see @throws DcmError `usage` for what is a disk by another name */
    addDevice(device: { name: string; path: string; about: string }): Promise<boolean>
    removeDevice(name: string): Promise<boolean>
    seccomps(): Promise<{ name: string; about: string }[]>
    addSeccomp(profile: { name: string; json: string; about: string }): Promise<void>
    removeSeccomp(name: string): Promise<boolean>
    doctor(): Promise<Check[]>
  }
  links: {
    /** How strangers of this account's workspace may become members by themselves. */
    signup(visitor: Visitor): 'off' | 'request' | 'open'
    /** A code that links this account, for whoever confirms it on another side; earlier ones are void. */
    code(visitor: Visitor): Promise<{ code: string; expiresAt: Date }>
    /** @param by who tries, for the count of wrong codes. @throws DcmError */
    confirm(person: Person, code: string, by: string): Promise<Visitor>
    link(person: Person, visitor: Visitor): Promise<Visitor>
    list(person: Person): Promise<Visitor[]>
    /** @returns what was unlinked, if it was linked */
    unlink(visitor: Visitor): Promise<Visitor | undefined>
    /** Makes a member of a stranger; only where `signup` says open. */
    join(visitor: Visitor): Promise<Person>
  }
  requests: {
    /** `told`: admins have it in a chat. */
    ask(person: Person, thing: string, lives: number | undefined, why: string): Promise<RequestView & { told: boolean }>
    join(visitor: Visitor, why: string): Promise<RequestView & { told: boolean }>
    open(): Promise<RequestView[]>
    of(person: Person): Promise<RequestView[]>
    /** @throws DcmError when it is decided already, or was asked for by whoever decides */
    approve(id: string, by: Person, lives: number | undefined): Promise<RequestView>
    deny(id: string, by: Person): Promise<RequestView>
  }
  notify: {
    kinds: typeof noticeKinds
    muted(ownerId: string): Promise<string[]>
    mute(ownerId: string, kind: NoticeKind, off: boolean): Promise<void>
  }
  hooks: {
    /** @returns the secret too, this once. @throws DcmError when the line could never run as this caller's hook */
    add(
      caller: Caller,
      wish: { name: string; line: string; verify: Scheme; events: string[]; conditions: string[]; lives: number },
    ): Promise<{ hook: Hook; secret: string; places: PlaceName[] }>
    list(ownerId: string): Promise<Hook[]>
    /** @throws DcmError `not_found` */
    find(ownerId: string, name: string): Promise<Hook>
    /** The secret before it stays good for `overlap` milliseconds. @returns the new one, this once */
    rotate(ownerId: string, name: string, overlap: number): Promise<{ hook: Hook; secret: string }>
    remove(ownerId: string, name: string): Promise<Hook>
    /** Its newest deliveries first. */
    log(hook: Hook, limit: number): Promise<Delivery[]>
  }
  audit: {
    read(filter: { personName: string | undefined; since: Date | undefined; limit: number }): Promise<AuditRow[]>
  }
}
