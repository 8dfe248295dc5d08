import type { Container, Limits, ShareLevel } from '../model/container.ts'
import type { Anatomy, Image } from '../model/image.ts'
import type { Change, Happening, Load, Process } from '../model/look.ts'
import type { ScheduleVerb } from '../model/schedule.ts'
import type { Network } from '../model/network.ts'
import type { Volume } from '../model/volume.ts'
import type { Spot } from './lookup.ts'
import type { ShareView, Schedule, ComposePlan } from './views.ts'

/** What a command may ask for of what members have. */
export type Belongings = {
  containers: {
    /** The caller's own; cost depends on theirs alone. */
    mine(): Promise<{ containers: Container[]; stale: string | null }>
    /** The same, and what others share with the caller. */
    visible(): Promise<{ own: Container[]; shared: Container[]; stale: string | null }>
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
    /** Whether a build or a job is under way in it, which `end` ends. */
    atWork(container: Container): Promise<boolean>
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
    check(container: Container, guest: string): Promise<void>
    /** @throws DcmError as `check` */
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
      /** All of it: what `quota show` says too. */
      used: number
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
}
