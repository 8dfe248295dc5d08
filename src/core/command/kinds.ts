import { type Container, parseSignal, type Proto, type Signal, signals } from '../model/container.ts'
import {
  type Grant,
  grantForms,
  grantableCaps,
  parseCap,
  parseGrant,
  parseRestart,
  type Restart,
} from '../model/grant.ts'
import type { Group } from '../model/group.ts'
import type { Image } from '../model/image.ts'
import { formatImageRef, parseImageRef, refuseContainerName, refuseName, refusePersonName } from '../model/name.ts'
import type { Person } from '../model/person.ts'
import { exampleAmount, parseAmount, type Resource, resources } from '../model/quota.ts'
import { type Account, parseAccount } from '../model/visitor.ts'
import { parseRegistry, parseRemote, type Remote } from '../model/registry.ts'
import { foreignNetwork, type Network } from '../model/network.ts'
import { mountable, type Mounted, type Volume } from '../model/volume.ts'
import { parseCpus, parseDuration, parseSize } from '../model/units.ts'
import { DcmError } from '../reply/error.ts'
import type { PortWish } from './intents.ts'

/** What each kind of argument becomes. `kinds` below holds, under the same names, how it is read, described and completed. */
export type Kinds = {
  container: Container
  image: Image
  'own-image': Image
  'offered-image': Image
  person: Person
  group: Group
  text: string
  line: string
  document: string
  'container-name': string
  'person-name': string
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

/** A path inside a container. */
export type Spot = { container: Container; path: string }

/** Finds what names stand for, among what the caller may use for this command. Absent and not-yours throw the same words. */
export type Lookup = {
  container(name: string): Promise<Container>
  containerNames(): Promise<string[]>
  image(ref: string, whose: 'any' | 'own' | 'offered'): Promise<Image>
  imageRefs(whose: 'any' | 'own' | 'offered'): Promise<string[]>
  /** Among the caller's own alone. */
  volume(name: string): Promise<Volume>
  volumeNames(): Promise<string[]>
  network(name: string): Promise<Network>
  networkNames(): Promise<string[]>
  person(name: string): Promise<Person>
  personNames(): Promise<string[]>
  group(name: string): Promise<Group>
  groupNames(): Promise<string[]>
  commandNames(): string[]
  now(): Date
}

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
const wrong = (sentence: string) => new DcmError('usage', sentence)
const named = (refuse: (name: string) => string | undefined) => (text: string) => {
  const why = refuse(text)
  if (why) throw wrong(why)
  return text
}
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** PostgreSQL keeps neither NUL in text nor half of a surrogate pair in JSON: better refused here than an error there. */
const storable = (text: string) => !text.includes('\0') && text.isWellFormed()

function readPort(text: string): PortWish | undefined {
  const match = /^(?:([1-9]\d{0,4}):)?([1-9]\d{0,4})(?:\/(tcp|udp))?$/.exec(text)
  if (!match) return undefined
  const [host, container] = [match[1] ? Number(match[1]) : undefined, Number(match[2])]
  if (container > 65535 || (host ?? 1) > 65535) return undefined
  return { container, proto: (match[3] ?? 'tcp') as Proto, ...(host === undefined ? {} : { host }) }
}

/** `data:/var/lib/data[:ro]`: a volume by its name, never a path of the host. */
async function readMount(text: string, lookup: Lookup): Promise<Mounted | undefined> {
  const [name, path, mode, more] = text.split(':')
  if (path === undefined || more !== undefined || (mode !== undefined && mode !== 'ro' && mode !== 'rw'))
    return undefined
  if (name!.startsWith('/') || name!.startsWith('.'))
    throw wrong('A folder of the host cannot be mounted: make a volume with volume create, and mount that by its name.')
  const { id, name: called } = await lookup.volume(name!)
  if (!mountable(path))
    throw wrong(
      `Nothing can be mounted at ${path.slice(0, 60)}: the path is absolute and plain, and neither the system's nor DCM's own.`,
    )
  return { id, name: called, path, readOnly: mode === 'ro' }
}

function readEnv(text: string): string {
  const at = text.indexOf('=')
  if (at < 1 || !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(text.slice(0, at)))
    throw wrong('A variable is NAME=value; NAME is letters, digits and "_".')
  if (text.length > 8192 || !storable(text))
    throw wrong(`The value of ${text.slice(0, at)} is longer than 8192 characters or holds a NUL or broken text.`)
  if (/^DCM/i.test(text)) throw wrong("Variables that start with DCM are DCM's own; choose another name.")
  return text
}

function readAmount(text: string): Kinds['amount'] | undefined {
  const [name, value, more] = text.split('=')
  const resource = resources.find((known) => known === name)
  if (!resource || value === undefined || more !== undefined)
    throw wrong(`A quota is RESOURCE=AMOUNT; RESOURCE is one of ${resources.join(', ')}.`)
  const amount = parseAmount(resource, value)
  if (amount === undefined)
    throw wrong(
      `"${value.slice(0, 40)}" is no amount of ${resource}: write it like ${resource}=${exampleAmount(resource)}.`,
    )
  return { resource, amount }
}

/** A time: how long ago (`10m`) or an ISO 8601 date. */
function readWhen(text: string, lookup: Lookup): Date | undefined {
  const ago = parseDuration(text)
  if (ago !== undefined) return new Date(lookup.now().getTime() - ago)
  const at = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.test(text) ? new Date(text) : new Date(NaN)
  return Number.isNaN(at.getTime()) ? undefined : at
}

/** `web:/srv`: a path of a container, from its root; `-` is the stream that comes or goes with the call. */
async function readSpot(text: string, lookup: Lookup): Promise<Spot | null | undefined> {
  if (text === '-') return null
  const match = /^([^:]{1,200}):(.*)$/s.exec(text)
  if (!match) return undefined
  const container = await lookup.container(match[1]!)
  const path = match[2]!
  return path.startsWith('/') && path.length <= 4000 && storable(path) ? { container, path } : undefined
}

const imageKind = <K extends 'image' | 'own-image' | 'offered-image'>(whose: 'any' | 'own' | 'offered'): Kind<K> => ({
  names: 'whole',
  word: 'IMAGE',
  schema: string,
  hint: 'an image that `images` lists',
  read: (text, lookup) => lookup.image(text, whose) as Promise<Kinds[K]>,
  complete: (lookup) => lookup.imageRefs(whose),
})

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
  text: {
    word: 'TEXT',
    schema: string,
    hint: 'up to 200 characters on one line',
    read: (text) => (text.length > 200 || control.test(text) || !text.isWellFormed() ? undefined : text),
  },
  line: {
    word: 'TEXT',
    schema: string,
    hint: 'up to 16384 characters',
    read: (text) => (text.length > 16_384 || !storable(text) ? undefined : text),
  },
  document: {
    word: 'DOCUMENT',
    schema: string,
    hint: 'up to 60000 characters',
    read: (text) => (text.length > 60_000 || !storable(text) ? undefined : text),
  },
  'container-name': { word: 'NAME', schema: string, hint: 'a name', read: named(refuseContainerName) },
  'person-name': { word: 'NAME', schema: string, hint: 'a name', read: named(refusePersonName) },
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
    schema: { type: 'string', pattern: '^[0-9.]+[bkmgt]?$' },
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
  grant: { word: 'THING', schema: string, hint: grantForms, read: parseGrant },
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
