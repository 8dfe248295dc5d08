import { type Container, parseSignal, type Signal, signals } from '../model/container.ts'
import { type Grant, grantForms, grantableCaps, parseCap, parseRestart, type Restart } from '../model/grant.ts'
import type { Group } from '../model/group.ts'
import type { Image } from '../model/image.ts'
import {
  formatImageRef,
  parseImageRef,
  refuseContainerName,
  refuseGroupName,
  refuseName,
  refusePersonName,
} from '../model/name.ts'
import type { Person } from '../model/person.ts'
import type { Resource } from '../model/quota.ts'
import { type Account, parseAccount } from '../model/visitor.ts'
import { parseRegistry, parseRemote, type Remote } from '../model/registry.ts'
import { foreignNetwork, type Network } from '../model/network.ts'
import type { Mounted, Volume } from '../model/volume.ts'
import { parseCpus, parseDuration, parseSize, sizeForm } from '../model/units.ts'
import type { PortWish } from './intents.ts'
import type { Lookup, Spot } from './lookup.ts'
import {
  control,
  named,
  readCron,
  readGrant,
  readAmount,
  readEnv,
  readMount,
  readPort,
  readSpot,
  readWhen,
  storable,
  wrong,
} from './values.ts'

/** What each kind of argument becomes. `kinds` below holds, under the same names, how it is read, described and completed. */
export type Kinds = {
  container: Container
  image: Image
  'own-image': Image
  'offered-image': Image
  person: Person
  group: Group
  text: string
  prose: string
  line: string
  cron: string
  document: string
  'container-name': string
  'person-name': string
  'group-name': string
  'image-ref': string
  'engine-ref': string
  remote: Remote
  registry: string
  count: number
  size: number
  cpus: number
  duration: number
  when: Date
  choice: string
  flag: boolean
  port: PortWish
  name: string
  volume: Volume
  network: Network
  mount: Mounted
  env: string
  cap: string
  restart: Restart
  signal: Signal
  grant: Grant
  amount: { resource: Resource; amount: number }
  id: string
  command: string
  argv: string
  account: Account
  place: Spot | null
}
export type KindName = keyof Kinds

type Kind<K extends KindName> = {
  /** It names something that is there, as a whole or in part of it: whether it is depends on who asks. */
  names?: 'whole' | 'part'
  /** What stands in the usage line: `SIZE`. */
  word: string
  /** JSON Schema of what a machine sends; text is always accepted too. */
  schema: Record<string, unknown>
  /** What would have worked, for the refusal. */
  hint: string
  /** Reads one value. @returns undefined when the text is not of this kind. @throws DcmError with better words */
  read(text: string, lookup: Lookup): Kinds[K] | undefined | Promise<Kinds[K] | undefined>
  complete?(lookup: Lookup): Promise<string[]> | string[]
}

const string = { type: 'string' }

const imageKind = <K extends 'image' | 'own-image' | 'offered-image'>(whose: 'any' | 'own' | 'offered'): Kind<K> => ({
  names: 'whole',
  word: 'IMAGE',
  schema: string,
  hint: 'an image that `images` lists',
  read: (text, lookup) => lookup.image(text, whose) as Promise<Kinds[K]>,
  complete: (lookup) => lookup.imageRefs(whose),
})

const text = {
  word: 'TEXT',
  schema: string,
  hint: 'up to 200 characters on one line',
  read: (given: string) => (given.length > 200 || control.test(given) || !given.isWellFormed() ? undefined : given),
}

/** How each kind is read, described to machines and completed. */
export const kinds: { [K in KindName]: Kind<K> } = {
  container: {
    names: 'whole',
    word: 'CONTAINER',
    schema: string,
    hint: 'the name of a container',
    read: (text, lookup) => lookup.container(text),
    complete: (lookup) => lookup.containerNames(),
  },
  image: imageKind('any'),
  'own-image': imageKind('own'),
  'offered-image': imageKind('offered'),
  person: {
    names: 'whole',
    word: 'MEMBER',
    schema: string,
    hint: 'the name of a member',
    read: (text, lookup) => lookup.person(text),
    complete: (lookup) => lookup.personNames(),
  },
  group: {
    names: 'whole',
    word: 'GROUP',
    schema: string,
    hint: 'the name of a group',
    read: (text, lookup) => lookup.group(text),
    complete: (lookup) => lookup.groupNames(),
  },
  text,
  /** Words for somebody to read: they name nothing, and may be private. */
  prose: text,
  line: {
    word: 'TEXT',
    schema: string,
    hint: 'up to 16384 characters',
    read: (text) => (text.length > 16_384 || !storable(text) ? undefined : text),
  },
  cron: {
    word: 'CRON',
    schema: string,
    hint: 'minute, hour, day, month and weekday in quotes, like "0 20 * * 1-5", or @daily',
    read: (text) => (text.length > 200 || control.test(text) ? undefined : readCron(text)),
  },
  document: {
    word: 'DOCUMENT',
    schema: string,
    hint: 'up to 60000 characters',
    read: (text) => (text.length > 60_000 || !storable(text) ? undefined : text),
  },
  'container-name': { word: 'NAME', schema: string, hint: 'a name', read: named(refuseContainerName) },
  'person-name': { word: 'NAME', schema: string, hint: 'a name', read: named(refusePersonName) },
  'group-name': { word: 'NAME', schema: string, hint: 'a name', read: named(refuseGroupName) },
  'image-ref': {
    word: 'NAME[:TAG]',
    schema: string,
    hint: 'a name of your own like web:v1, in lower case, without a registry or a path',
    read: (text) => {
      const ref = parseImageRef(text)
      return ref && formatImageRef(ref)
    },
  },
  'engine-ref': {
    word: 'REF',
    schema: string,
    hint: 'an image that the engine has, like debian:bookworm-slim',
    read: (text) => (/^[a-z0-9][a-z0-9._/:@-]{0,200}$/i.test(text) ? text : undefined),
  },
  remote: {
    word: '[REGISTRY/]NAME[:TAG|@DIGEST]',
    schema: string,
    hint: 'an image as its registry has it, like debian:bookworm or registry.example.com/team/web:v1',
    read: parseRemote,
  },
  registry: {
    word: 'REGISTRY',
    schema: string,
    hint: 'docker.io, or a host like registry.example.com or registry.example.com:5000',
    read: parseRegistry,
  },
  count: {
    word: 'N',
    schema: { type: 'integer', minimum: 0, maximum: 1_000_000 },
    hint: 'a whole number from 0 to 1000000',
    read: (text) => (/^\d{1,7}$/.test(text) && Number(text) <= 1_000_000 ? Number(text) : undefined),
  },
  size: {
    word: 'SIZE',
    schema: { type: 'string', pattern: sizeForm.source },
    hint: 'a size like 512m or 1g',
    read: parseSize,
  },
  cpus: { word: 'N', schema: { type: 'string' }, hint: 'a number of CPUs like 0.5 or 2', read: parseCpus },
  duration: { word: 'TIME', schema: string, hint: 'a time like 30m, 4h or 7d', read: parseDuration },
  when: { word: 'WHEN', schema: string, hint: 'how long ago, like 10m, or a date like 2026-01-31', read: readWhen },
  choice: { word: 'CHOICE', schema: string, hint: 'one of the choices', read: (text) => text },
  flag: {
    word: '',
    schema: { type: 'boolean' },
    hint: 'true or false',
    read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  },
  port: {
    word: '[HOST:]PORT[/udp]',
    schema: string,
    hint: 'a port of the container from 1 to 65535, like 80 or 53/udp (or, where granted, HOST:PORT)',
    read: readPort,
  },
  name: { word: 'NAME', schema: string, hint: 'a name', read: named(refuseName) },
  volume: {
    names: 'whole',
    word: 'VOLUME',
    schema: string,
    hint: 'a volume that `volume ls` lists',
    read: (text, lookup) => lookup.volume(text),
    complete: (lookup) => lookup.volumeNames(),
  },
  network: {
    names: 'whole',
    word: 'NETWORK',
    schema: string,
    hint: 'a network that `network ls` lists',
    read: (text, lookup) => {
      if (foreignNetwork(text))
        throw wrong(
          `The network ${text.slice(0, 60)} is given to no container: name one of yours, or none for your main one.`,
        )
      return lookup.network(text)
    },
    complete: (lookup) => lookup.networkNames(),
  },
  mount: {
    names: 'part',
    word: 'VOLUME:/PATH[:ro]',
    schema: string,
    hint: 'a volume of yours and where it is in the container, like data:/var/lib/data',
    read: readMount,
    complete: async (lookup) => (await lookup.volumeNames()).map((name) => `${name}:/`),
  },
  env: { word: 'NAME=VALUE', schema: string, hint: 'NAME=value', read: readEnv },
  cap: {
    word: 'CAPABILITY',
    schema: string,
    hint: `a capability that an admin can grant: ${grantableCaps.join(', ')}`,
    read: (text) => {
      const cap = parseCap(text)
      return cap && (grantableCaps as readonly string[]).includes(cap) ? cap : undefined
    },
    complete: () => [...grantableCaps],
  },
  restart: {
    word: 'POLICY',
    schema: string,
    hint: 'no, on-failure[:N] with N from 1 to 99, or unless-stopped',
    read: parseRestart,
    complete: () => ['no', 'on-failure', 'unless-stopped'],
  },
  signal: {
    word: 'SIGNAL',
    schema: string,
    hint: `one of ${signals.join(', ')}`,
    read: parseSignal,
    complete: () => [...signals],
  },
  grant: { word: 'THING', schema: string, hint: grantForms, read: readGrant },
  amount: {
    word: 'RESOURCE=AMOUNT',
    schema: string,
    hint: 'RESOURCE=AMOUNT, like memory=8g or containers=20',
    read: readAmount,
  },
  id: {
    word: 'ID',
    schema: string,
    hint: 'an id or fingerprint from the list',
    read: (text) => (/^[\w:+/=-]{1,80}$/.test(text) ? text : undefined),
  },
  command: {
    word: 'COMMAND',
    schema: string,
    hint: 'the name of a command',
    read: (text) => (text.length <= 60 && !control.test(text) ? text : undefined),
    complete: (lookup) => lookup.commandNames(),
  },
  account: {
    word: '@WHO',
    schema: string,
    hint: 'somebody of this chat, picked from its list of people, or PLATFORM:WORKSPACE/USER like slack:T1/U1',
    read: parseAccount,
  },
  argv: {
    word: 'ARG',
    schema: string,
    hint: 'up to 4096 characters without a NUL',
    read: (text) => (text.length <= 4096 && storable(text) ? text : undefined),
  },
  place: {
    names: 'part',
    word: 'CONTAINER:/PATH|-',
    schema: string,
    hint: 'CONTAINER:/PATH with a path from the root, or - for a tar that comes or goes with the call',
    read: readSpot,
    complete: async (lookup) => (await lookup.containerNames()).map((name) => `${name}:/`),
  },
}
