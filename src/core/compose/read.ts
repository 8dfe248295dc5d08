import { nearest } from '../command/nearest.ts'
import { refuseContainerName } from '../model/name.ts'
import { checkNetworks, type Declared, readNetworks } from './networks.ts'
import { createReading, type Reading, scalar } from './reading.ts'
import { checkSecrets, readSecrets, type Secrets } from './secrets.ts'
import type { Draft } from './draft.ts'
import { readService } from './service.ts'
import { fileKeys, ruleOf } from './subset.ts'
import { type Node, type Problem, readTree } from './tree.ts'

/** What a file says: `name` where it has one, services in the order of their dependencies. */
export type Composition = {
  name: string | undefined
  services: Draft[]
  /** Those that are made with the project, and those that have to be there. */
  volumes: Map<string, { external: string | undefined }>
  networks: Declared
  secrets: Secrets
}

const mostServices = 20

/** Reads a Compose file. Nothing is asked and nothing is done; all that is wrong with it is told, each with its place. */
export function readComposition(
  text: string,
  values: ReadonlyMap<string, string>,
): { composition: Composition; problems: Problem[]; notes: Problem[] } {
  const reading = createReading(values)
  const composition: Composition = {
    name: undefined,
    services: [],
    volumes: new Map(),
    networks: new Map(),
    secrets: new Map(),
  }
  const { root, problems } = readTree(text)
  reading.problems.push(...problems)
  if (root && root.is !== 'map') reading.bad(root.at, '', 'A Compose file is a map with services.')
  if (root?.is === 'map') {
    for (const { key, at, value } of root.entries) {
      const rule = ruleOf(fileKeys, key)
      if (!rule) {
        const guess = nearest(key, Object.keys(fileKeys))
        reading.bad(at, key, `There is no such key${guess ? `; did you mean ${guess}?` : '.'}`)
      } else if (rule.does === 'refused') reading.bad(at, key, rule.about)
      else if (key === 'name') composition.name = scalar(reading, value, key)
      else if (key === 'volumes') readVolumes(reading, value, composition)
      else if (key === 'networks') readNetworks(reading, value, composition.networks)
      else if (key === 'secrets') readSecrets(reading, value, composition.secrets)
      else if (key === 'services') readServices(reading, value, composition)
      else if (!key.startsWith('x-')) reading.note(at, key, rule.about)
    }
    if (!root.entries.some(({ key }) => key === 'services'))
      reading.bad(root.at, 'services', 'There are no services in it.')
    checkVolumes(reading, composition)
    checkSecrets(reading, composition.services, composition.secrets)
    checkNetworks(reading, composition.services, composition.networks)
    composition.services = inOrder(reading, composition.services)
  }
  const byPlace = (a: Problem, b: Problem) => a.line - b.line || a.column - b.column
  return { composition, problems: reading.problems.toSorted(byPlace), notes: reading.notes.toSorted(byPlace) }
}

function readServices(reading: Reading, node: Node, composition: Composition): void {
  if (node.is !== 'map' || node.entries.length === 0)
    return reading.bad(node.at, 'services', 'Services are a map, by their names.')
  if (node.entries.length > mostServices)
    return reading.bad(node.at, 'services', `There may be at most ${mostServices} services.`)
  for (const { key, at, value } of node.entries) {
    const why = refuseContainerName(key)
    if (why) reading.bad(at, `services.${key}`, why.replace('A container name', 'The name of a service'))
    composition.services.push(readService(reading, key, value, at))
  }
}

function readVolumes(reading: Reading, node: Node, { volumes }: Composition): void {
  if (node.is === 'null') return
  if (node.is !== 'map') return reading.bad(node.at, 'volumes', 'Volumes are a map, by their names.')
  for (const { key, at, value } of node.entries) {
    let [external, called] = [false, undefined as string | undefined]
    for (const option of value.is === 'map' ? value.entries : []) {
      const path = `volumes.${key}.${option.key}`
      if (option.key === 'external') external = scalar(reading, option.value, path) === 'true'
      else if (option.key === 'name') called = scalar(reading, option.value, path)
      else if (option.key === 'labels') reading.note(option.at, path, 'Nothing here reads them.')
      else if (option.key === 'driver' && option.value.is === 'text' && option.value.text === 'local') continue
      else if (!option.key.startsWith('x-'))
        reading.bad(option.at, path, "What a volume is made of is the site's to choose.")
    }
    if (called !== undefined && !external)
      reading.bad(
        at,
        `volumes.${key}.name`,
        'A volume of the project is called PROJECT-NAME; only one that is external has a name of its own.',
      )
    volumes.set(key, { external: external ? (called ?? key) : undefined })
  }
}

function checkVolumes(reading: Reading, { services, volumes }: Composition): void {
  for (const { service, volumes: mounted } of services)
    for (const { name, at } of mounted)
      if (!volumes.has(name))
        reading.bad(at, `services.${service}.volumes`, `The volume ${name} is not declared under volumes.`)
}

/** Each service after those that it waits for. */
function inOrder(reading: Reading, services: Draft[]): Draft[] {
  const known = new Map(services.map((one) => [one.service, one]))
  for (const one of services) {
    for (const wait of one.waits) {
      const other = known.get(wait.service)
      const key = `services.${one.service}.depends_on`
      if (!other) reading.bad(wait.at, key, `There is no service ${wait.service}.`)
      else if (wait.healthy && !other.health)
        reading.bad(wait.at, key, `${wait.service} has no healthcheck, so it is never healthy.`)
    }
  }
  const done: Draft[] = []
  const rest = new Set(services)
  while (rest.size > 0) {
    const next = [...rest].find((one) => one.waits.every((wait) => !rest.has(known.get(wait.service)!)))
    if (!next) {
      const [stuck] = [...rest]
      reading.bad(
        stuck!.waits[0]!.at,
        `services.${stuck!.service}.depends_on`,
        'These services wait for each other in a circle.',
      )
      return services
    }
    rest.delete(next)
    done.push(next)
  }
  return done
}
