import type { Container, Limits, ShareLevel } from '../model/container.ts'
import type { Grant } from '../model/grant.ts'
import type { Group } from '../model/group.ts'
import type { Delivery, Hook, PlaceName, Scheme } from '../model/hook.ts'
import type { Anatomy, Image } from '../model/image.ts'
import type { Change, Happening, Load, Process } from '../model/look.ts'
import type { Person, PersonState, Role } from '../model/person.ts'
import type { Place } from '../model/place.ts'
import type { Quota, Resource } from '../model/quota.ts'
import type { NoticeKind, noticeKinds } from '../model/notice.ts'
import type { ScheduleVerb } from '../model/schedule.ts'
import type { Network } from '../model/network.ts'
import type { Visitor } from '../model/visitor.ts'
import type { Volume } from '../model/volume.ts'
import type { DcmError } from '../reply/error.ts'
import type { Caller, Command } from './define.ts'
import type { Spot } from './lookup.ts'
import type {
  Key,
  Connected,
  Token,
  GrantRow,
  Allowance,
  ShareView,
  Schedule,
  AuditRow,
  ComposePlan,
  RequestView,
  Check,
  Capacity,
} from './views.ts'

/**
 * What a command may ask for besides its arguments. It is already narrowed to the caller where that matters; changes
 * that need steps go through `begin`, never through here.
 */
export type Context = {
  caller: Caller
  now: Date
  place: Place
  commands: readonly Command[]
  /** Bytes that came with the call, for a command that `streams`. */
  body?: AsyncIterable<Uint8Array>
  /** What would become of another line of the caller's, as far as admission; nothing is done. */
  consider(line: string): Promise<{ command: string | null; rule: string; refusal: DcmError | null }>
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
      ports: number
      storage: number
    }>
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
  containers: {
    /** The caller's own; cost depends on theirs alone. */
    mine(): Promise<{ containers: Container[]; stale: string | null }>
    /** What others share with the caller. */
    shared(): Promise<Container[]>
    all(): Promise<{ containers: Container[]; stale: string | null }>
    /** What a wish for limits becomes under the site's defaults. */
    limits(wish: { memory: number | undefined; cpus: number | undefined; pids: number | undefined }): Promise<Limits>
    rename(container: Container, name: string): Promise<Container>
    note(container: Container, text: string): Promise<Container>
    /** Decoded and cleaned log text, at most a megabyte; `cut` when there was more. */
    logs(
      container: Container,
      options: { tail: number; since: Date | undefined; timestamps: boolean },
    ): Promise<{ text: string; cut: boolean }>
    /** Looks at the engine once more, for what the cache does not hold. */
    refresh(container: Container): Promise<Container>
  }
  watch: {
    /** @throws DcmError `conflict` while it does not run */
    processes(container: Container): Promise<Process[]>
    /** What each takes now, asked all at once; null for one that does not run or of which nothing could be learned. */
    load(containers: readonly Container[]): Promise<(Load | null)[]>
    /** At most `most` of the paths that differ from its image, and how many there are. */
    changes(container: Container, most: number): Promise<{ changes: Change[]; total: number }>
    /** Newest first: of one container, or of all that is the caller's. */
    happenings(filter: {
      container: Container | undefined
      since: Date | undefined
      limit: number
    }): Promise<Happening[]>
  }
  time: {
    /** Gives a container more time, or (null) no end at all. @returns when it is removed now @throws DcmError when that is under way */
    extend(container: Container, ms: number | null): Promise<Date | null>
    /** Keeps it from being stopped for being idle; null: not any more. `idleStop`: after how long that happens here, if ever. */
    keep(container: Container, ms: number | null): Promise<{ until: Date | null; idleStop: number | null }>
  }
  shares: {
    /** @throws DcmError when there is no such member, or it is the owner */
    add(container: Container, guest: string, level: ShareLevel, lives: number): Promise<ShareView>
    list(): Promise<(ShareView & { mine: boolean })[]>
    /** @throws DcmError `not_found` when it is not shared with them */
    remove(container: Container, guest: string): Promise<void>
  }
  files: {
    /** A container's file system as a tar; to be read once. @throws DcmError */
    export(container: Container): Promise<AsyncIterable<Uint8Array>>
    /** What is at a path inside, as a tar; to be read once. @throws DcmError */
    take(spot: Spot): Promise<{ name: string; bytes: AsyncIterable<Uint8Array> }>
    /**
     * Unpacks a tar inside. With `name`, that is the one thing it holds: it goes into the folder at the path or, where
     * none is, becomes the path; with `make` the folder is made.
     * @returns how many bytes have come @throws DcmError
     */
    put(spot: Spot, name: string | undefined, bytes: AsyncIterable<Uint8Array>, make?: boolean): Promise<number>
  }
  secrets: {
    /** Puts a value where the container finds it, at once. @throws DcmError `limited` */
    set(container: Container, name: string, value: string): Promise<void>
    list(container: Container): Promise<{ name: string; setAt: Date }[]>
    /** @throws DcmError `not_found` */
    remove(container: Container, name: string): Promise<void>
  }
  volumes: {
    /** @throws DcmError `conflict` when there is one of that name, `limited` */
    create(name: string): Promise<Volume>
    /** The caller's own, with the names of the containers that mount them. */
    list(): Promise<(Volume & { users: string[] })[]>
  }
  networks: {
    /** The caller's own beside their main one, with the names of the containers on them. */
    list(): Promise<(Network & { members: string[] })[]>
  }
  compose: {
    /** Reads a Compose file and looks up what it names, without a change. `values`: of variables, as `NAME=value`. */
    plan(text: string, project: string | undefined, values: readonly string[]): Promise<ComposePlan>
  }
  schedules: {
    /** @throws DcmError when the times make no sense, or there are too many */
    add(wish: {
      container: Container
      verb: ScheduleVerb
      argv: string[] | null
      cron: string
      zone: string
    }): Promise<Schedule>
    list(): Promise<Schedule[]>
    /** @throws DcmError `not_found` */
    remove(id: string): Promise<Schedule>
  }
  room: {
    /** What takes the caller's disk, in bytes; containers as last measured. */
    use(): Promise<{
      storage: number
      containers: { name: string; size: number }[]
      images: { ref: string; size: number }[]
      limit: number
      measuredAt: Date | null
    }>
    /** The caller's own stopped containers, and own images that no container was made from. */
    unused(): Promise<{
      containers: { id: string; name: string; size: number }[]
      images: { id: string; ref: string; size: number }[]
    }>
  }
  images: {
    visible(): Promise<Image[]>
    withdraw(image: Image): Promise<void>
    usedBy(image: Image): Promise<string[]>
    /**
     * What is inside an image, the nearest of the caller's images that it begins with, and containers made from it: the
     * caller's, or for an admin everybody's. @throws DcmError
     */
    look(image: Image): Promise<{ inside: Anatomy; base: Image | null; users: string[] }>
    /** Tells members to use another, or (null) that this one is good again. @returns containers made from it, by owner */
    deprecate(image: Image, use: Image | null): Promise<{ users: string[] }>
    /** Of containers whose image was deprecated or made anew since: a word for a list, and a sentence. By id. */
    stale(containers: readonly Container[]): Promise<Map<string, { mark: string; says: string }>>
  }
  registries: {
    /** Those that admins allow, and as whom the caller is logged in there. */
    list(): Promise<{ host: string; addedBy: string; username: string | null; since: Date | null }[]>
    /** Asks the registry first. @throws DcmError when it is not allowed, or says no */
    login(registry: string, username: string, password: string): Promise<void>
    /** @throws DcmError `not_found` */
    logout(registry: string): Promise<void>
    allow(host: string): Promise<void>
    /** @returns how many logins went with it @throws DcmError `not_found` */
    disallow(host: string): Promise<number>
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
