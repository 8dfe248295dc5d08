import { kinds } from '../command/kinds.ts'
import type { PortWish } from '../command/intents.ts'
import { nearest } from '../command/nearest.ts'
import { splitWords } from '../command/words.ts'
import type { Proto } from '../model/container.ts'
import { parseCap, parseRestart, type Restart } from '../model/grant.ts'
import type { Health } from '../model/health.ts'
import { mostMounted, mountable } from '../model/volume.ts'
import { parseCpus, parseSize } from '../model/units.ts'
import { DcmError } from '../reply/error.ts'
import { type Built, readBuild } from './image.ts'
import { type On, readOn } from './networks.ts'
import { type Reading, scalar, strings } from './reading.ts'
import { readTaken, type Taken } from './secrets.ts'
import { ruleOf, serviceKeys } from './subset.ts'
import type { At, Entry, Node } from './tree.ts'

/** A service as the file has it, with the places of what is only found out about later. */
export type Draft = {
  service: string
  at: At
  image: { ref: string; at: At } | undefined
  build: Built | undefined
  command: string[] | undefined
  entrypoint: string[] | undefined
  folder: string | undefined
  env: Map<string, string>
  ports: { wish: PortWish; at: At }[]
  volumes: { name: string; path: string; readOnly: boolean; at: At }[]
  networks: On[] | undefined
  secrets: Taken[]
  waits: { service: string; healthy: boolean; at: At }[]
  restart: { policy: Restart; at: At } | undefined
  caps: { cap: string; at: At }[]
  limits: { memory?: number; cpus?: number; pids?: number }
  limitsAt: At
  health: Health | null
}

/** Reads one service; whatever is wrong with it goes to `reading`, all of it. */
export function readService(reading: Reading, service: string, node: Node, at: At): Draft {
  const key = `services.${service}`
  const draft: Draft = {
    ...{ service, at, image: undefined, command: undefined, entrypoint: undefined, folder: undefined, env: new Map() },
    ...{ ports: [], volumes: [], networks: undefined, secrets: [], waits: [], restart: undefined, caps: [] },
    ...{ build: undefined, limits: {}, limitsAt: at, health: null },
  }
  if (node.is !== 'map') {
    reading.bad(node.at, key, 'A service is a map of what it has.')
    return draft
  }
  for (const entry of node.entries) {
    const path = `${key}.${entry.key}`
    const rule = ruleOf(serviceKeys, entry.key)
    if (!rule) {
      const guess = nearest(entry.key, Object.keys(serviceKeys))
      reading.bad(entry.at, path, `There is no such key${guess ? `; did you mean ${guess}?` : '.'}`)
    } else if (rule.does === 'refused') {
      if (!nothing(entry.value)) reading.bad(entry.at, path, rule.about)
    } else if (rule.does === 'left') {
      // What has no effect is named once, unless it is the writer's own.
      if (!entry.key.startsWith('x-')) reading.note(entry.at, path, rule.about)
    } else readers[entry.key]!(reading, draft, entry.value, path)
  }
  if (!draft.image && !draft.build && !node.entries.some((entry) => entry.key === 'image'))
    reading.bad(at, key, 'It needs an image.')
  return draft
}

/** `privileged: false` and an empty list ask for nothing. */
const nothing = (node: Node) =>
  node.is === 'null' ||
  (node.is === 'text' && node.text === 'false') ||
  (node.is === 'list' && node.items.length === 0) ||
  (node.is === 'map' && node.entries.length === 0)

type Reader = (reading: Reading, draft: Draft, node: Node, key: string) => void

/** Words of a program: a list as it is, a line split as a shell would. */
function words(reading: Reading, node: Node, key: string): string[] | undefined {
  if (node.is === 'null') return undefined
  if (node.is === 'list') return strings(reading, node, key).map(({ text }) => text)
  const line = scalar(reading, node, key)
  if (line === undefined) return undefined
  try {
    return splitWords(line)
  } catch (error) {
    if (!(error instanceof DcmError)) throw error
    reading.bad(node.at, key, error.message)
    return undefined
  }
}

/** Reads a value by a kind's own rule, with its own words for what is wrong. */
function by<T>(reading: Reading, at: At, key: string, hint: string, read: () => T | undefined): T | undefined {
  try {
    const value = read()
    if (value !== undefined) return value
    reading.bad(at, key, `Give ${hint}.`)
  } catch (error) {
    if (!(error instanceof DcmError)) throw error
    reading.bad(at, key, error.message)
  }
  return undefined
}

function oneOf(hint: string, allowed: (draft: Draft) => string): Reader {
  return (reading, draft, node, key) => {
    const text = scalar(reading, node, key)
    if (text !== undefined && text !== allowed(draft)) reading.bad(node.at, key, hint)
  }
}

function number(
  read: (text: string) => number | undefined,
  hint: string,
  put: (draft: Draft, value: number) => void,
): Reader {
  return (reading, draft, node, key) => {
    const text = scalar(reading, node, key)
    if (text === undefined) return
    const value = by(reading, node.at, key, hint, () => read(text))
    if (value === undefined) return
    put(draft, value)
    draft.limitsAt = node.at
  }
}

const count = (text: string) => (/^\d{1,7}$/.test(text) ? Number(text) : undefined)
const memory = number(
  (text) => parseSize(text.replace(/i?b$/i, '')),
  'a size like 512m',
  (draft, value) => (draft.limits.memory = value),
)
const cpus = number(parseCpus, 'a number like 0.5', (draft, value) => (draft.limits.cpus = value))
const pids = number(count, 'a whole number', (draft, value) => (draft.limits.pids = value))

const only = (name: string) => `Leave it out: ${name}.`

/** How each key that runs is read. */
const readers: Record<string, Reader> = {
  image(reading, draft, node, key) {
    const text = scalar(reading, node, key)
    if (text !== undefined) draft.image = { ref: text.replace(/^(docker\.io\/)?(library\/)?/, ''), at: node.at }
  },
  build: (reading, draft, node, key) => void (draft.build = readBuild(reading, node, key)),
  command: (reading, draft, node, key) => void (draft.command = words(reading, node, key)),
  entrypoint: (reading, draft, node, key) => void (draft.entrypoint = words(reading, node, key)),
  environment(reading, draft, node, key) {
    const add = (name: string, value: string | undefined, at: At) => {
      const given = value ?? reading.values.get(name)
      if (given === undefined)
        return reading.bad(
          at,
          `${key}.${name}`,
          `The variable ${name} has no value; give it one here, or with -e ${name}=VALUE.`,
        )
      if (by(reading, at, `${key}.${name}`, kinds.env.hint, () => kinds.env.read(`${name}=${given}`, none) as string))
        draft.env.set(name, given)
    }
    if (node.is === 'map')
      for (const entry of node.entries) {
        const value = entry.value.is === 'null' ? undefined : scalar(reading, entry.value, `${key}.${entry.key}`)
        if (entry.value.is === 'null' || value !== undefined) add(entry.key, value, entry.at)
      }
    else
      for (const { text, at } of strings(reading, node, key)) {
        const end = text.indexOf('=')
        add(end < 0 ? text : text.slice(0, end), end < 0 ? undefined : text.slice(end + 1), at)
      }
  },
  ports(reading, draft, node, key) {
    if (node.is !== 'list') return reading.bad(node.at, key, 'Ports are a list.')
    for (const [index, item] of node.items.entries()) {
      const text =
        item.is === 'map' ? longPort(reading, item, `${key}.${index}`) : scalar(reading, item, `${key}.${index}`)
      if (text === undefined) continue
      const colon = text.indexOf(':')
      if (/^\[.*\]:/.test(text) || text.slice(0, Math.max(0, colon)).includes('.')) {
        reading.bad(
          item.at,
          `${key}.${index}`,
          'A port at one address alone is not had: leave it out, as your other containers reach it anyway.',
        )
        continue
      }
      const match = /^(?:(\d{0,5}):)?(\d{1,5})(?:\/(tcp|udp))?$/.exec(text)
      if (!match) {
        reading.bad(item.at, `${key}.${index}`, 'Give one port, like 80, 8080:80 or 53/udp; a range is written out.')
        continue
      }
      const wish = by(
        reading,
        item.at,
        `${key}.${index}`,
        kinds.port.hint,
        () =>
          kinds.port.read(`${match[1] ? `${match[1]}:` : ''}${match[2]}${match[3] ? `/${match[3]}` : ''}`, none) as
            | PortWish
            | undefined,
      )
      if (wish) draft.ports.push({ wish, at: item.at })
    }
  },
  depends_on(reading, draft, node, key) {
    if (node.is !== 'map') {
      for (const { text, at } of strings(reading, node, key)) draft.waits.push({ service: text, healthy: false, at })
      return
    }
    for (const entry of node.entries) {
      const condition =
        entry.value.is === 'map' ? entry.value.entries.find((one) => one.key === 'condition') : undefined
      const text = condition ? scalar(reading, condition.value, `${key}.${entry.key}.condition`) : 'service_started'
      if (text === 'service_completed_successfully')
        reading.bad(
          condition!.at,
          `${key}.${entry.key}.condition`,
          'A service goes on; what ends is a job: run it with run before up.',
        )
      else if (text !== 'service_started' && text !== 'service_healthy')
        reading.bad(
          condition?.at ?? entry.at,
          `${key}.${entry.key}.condition`,
          'Give service_started or service_healthy.',
        )
      else draft.waits.push({ service: entry.key, healthy: text === 'service_healthy', at: entry.at })
    }
  },
  healthcheck: (reading, draft, node, key) => void (draft.health = readHealth(reading, node, key)),
  restart(reading, draft, node, key) {
    const text = scalar(reading, node, key)
    if (text === undefined) return
    if (text === 'always')
      return reading.bad(node.at, key, 'always is not had; unless-stopped is, where an admin has granted it.')
    const policy = by(reading, node.at, key, kinds.restart.hint, () => parseRestart(text))
    if (policy) draft.restart = { policy, at: node.at }
  },
  working_dir(reading, draft, node, key) {
    const text = scalar(reading, node, key)
    if (text === undefined) return
    if (/^\/[^\0]{0,1000}$/.test(text)) draft.folder = text
    else reading.bad(node.at, key, 'Give an absolute path in the container.')
  },
  volumes(reading, draft, node, key) {
    if (node.is !== 'list') return reading.bad(node.at, key, 'Volumes are a list.')
    for (const [index, item] of node.items.entries()) readVolume(reading, draft, item, `${key}.${index}`)
  },
  networks: (reading, draft, node, key) => void (draft.networks = readOn(reading, node, key)),
  secrets: (reading, draft, node, key) => void (draft.secrets = readTaken(reading, node, key)),
  mem_limit: memory,
  cpus,
  pids_limit: pids,
  cap_add(reading, draft, node, key) {
    for (const { text, at } of strings(reading, node, key)) {
      const cap = by(reading, at, key, kinds.cap.hint, () =>
        parseCap(text) ? (kinds.cap.read(text, none) as string | undefined) : undefined,
      )
      if (cap) draft.caps.push({ cap, at })
    }
  },
  deploy: readDeploy,
  container_name: oneOf(
    only('containers are called PROJECT-SERVICE, and found by the others as SERVICE'),
    (draft) => draft.service,
  ),
  hostname: oneOf(only('the host name is that of the container'), (draft) => draft.service),
  scale: oneOf(only('each service is one container'), () => '1'),
}

/** Kinds that are read here name nothing of the caller's. */
const none = undefined as never

function longPort(reading: Reading, node: Extract<Node, { is: 'map' }>, key: string): string | undefined {
  const said = new Map<string, string>()
  for (const entry of node.entries) {
    const text = scalar(reading, entry.value, `${key}.${entry.key}`)
    if (text === undefined) return undefined
    if (entry.key === 'host_ip') said.set('address', text)
    else if (['target', 'published', 'protocol'].includes(entry.key)) said.set(entry.key, text)
    else if (!['mode', 'name', 'app_protocol'].includes(entry.key))
      reading.bad(entry.at, `${key}.${entry.key}`, 'There is no such key.')
  }
  const { address, target, published, protocol } = Object.fromEntries(said) as Record<string, string | undefined>
  return `${address ? `${address}:` : ''}${published ? `${published}:` : ''}${target ?? ''}${protocol ? `/${protocol as Proto}` : ''}`
}

function readVolume(reading: Reading, draft: Draft, node: Node, key: string): void {
  let [source, target, readOnly] = ['', '', false]
  if (node.is === 'map') {
    for (const entry of node.entries) {
      const text = entry.value.is === 'map' ? undefined : scalar(reading, entry.value, `${key}.${entry.key}`)
      if (entry.key === 'type' && text !== 'volume')
        return reading.bad(
          entry.at,
          `${key}.type`,
          `A ${text === 'bind' ? 'folder of the host' : (text ?? 'mount')} is not had: use a volume that is named under volumes.`,
        )
      else if (entry.key === 'source') source = text ?? ''
      else if (entry.key === 'target') target = text ?? ''
      else if (entry.key === 'read_only') readOnly = text === 'true'
      else if (entry.key !== 'type') reading.bad(entry.at, `${key}.${entry.key}`, 'There is no such option.')
    }
  } else {
    const text = scalar(reading, node, key)
    if (text === undefined) return
    const parts = text.split(':')
    if (parts.length === 1)
      return reading.bad(node.at, key, 'A volume needs a name: declare one under volumes, and write NAME:/PATH.')
    const [from, to, mode = 'rw', more] = parts
    if (more !== undefined || !/^(rw|ro)(,[zZ])?$|^[zZ]$/.test(mode))
      return reading.bad(node.at, key, 'Write a volume as NAME:/PATH or NAME:/PATH:ro.')
    ;[source, target, readOnly] = [from!, to!, mode.startsWith('ro')]
  }
  if (source.endsWith('docker.sock'))
    return reading.bad(node.at, key, 'Docker itself is given to no container: whoever has it has the host.')
  if (/^[./~]|^[A-Za-z]:\\|[/\\]/.test(source))
    return reading.bad(
      node.at,
      key,
      'A folder of the host is not had: use a volume that is named under volumes, and copy files in with cp.',
    )
  if (source === '') return reading.bad(node.at, key, 'A volume needs a name: declare one under volumes.')
  if (!mountable(target))
    return reading.bad(
      node.at,
      key,
      "Nothing can be mounted there: the path is absolute and plain, and neither the system's nor DCM's own.",
    )
  if (draft.volumes.some((one) => one.path === target))
    return reading.bad(node.at, key, `Two volumes are mounted at ${target}; leave one out.`)
  if (draft.volumes.length === mostMounted)
    return reading.bad(node.at, key, `A container has ${mostMounted} volumes at most.`)
  draft.volumes.push({ name: source, path: target, readOnly, at: node.at })
}

function readHealth(reading: Reading, node: Node, key: string): Health | null {
  if (node.is !== 'map') {
    reading.bad(node.at, key, 'A health check is a map with test.')
    return null
  }
  const health: Health = { argv: [], interval: 30_000, timeout: 30_000, retries: 3, start: 0 }
  let off = false
  for (const { key: name, at, value } of node.entries) {
    const path = `${key}.${name}`
    if (name === 'test') {
      const list = value.is === 'list' ? strings(reading, value, path).map(({ text }) => text) : undefined
      const line = list ? undefined : scalar(reading, value, path)
      if (line !== undefined) health.argv = ['/bin/sh', '-c', line]
      else if (list?.[0] === 'NONE') off = true
      else if (list?.[0] === 'CMD' && list.length > 1) health.argv = list.slice(1)
      else if (list?.[0] === 'CMD-SHELL' && list.length === 2) health.argv = ['/bin/sh', '-c', list[1]!]
      else if (list) reading.bad(at, path, 'A test begins with CMD, CMD-SHELL or NONE.')
      continue
    }
    const text = scalar(reading, value, path)
    if (text === undefined || name === 'start_interval' || name.startsWith('x-')) continue
    if (name === 'disable') off = text === 'true'
    else if (name === 'retries')
      health.retries = by(reading, at, path, 'a whole number', () => count(text)) ?? health.retries
    else if (name === 'interval' || name === 'timeout' || name === 'start_period') {
      const ms = by(reading, at, path, 'a time like 10s, up to 10m', () => span(text))
      if (ms !== undefined) health[name === 'start_period' ? 'start' : name] = ms
    } else reading.bad(at, path, 'There is no such key.')
  }
  return off || health.argv.length === 0 ? null : health
}

/** A time as Compose writes it: `1m30s`, `500ms`. */
function span(text: string): number | undefined {
  if (!/^(\d{1,6}(\.\d{1,3})?(ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms']
  return total <= 600_000 ? Math.round(total) : undefined
}

function readDeploy(reading: Reading, draft: Draft, node: Node, key: string): void {
  const inside = (at: Node, path: string, known: Record<string, (value: Node, path: string, entry: Entry) => void>) => {
    if (at.is === 'null') return
    if (at.is !== 'map') return reading.bad(at.at, path, 'This is a map.')
    for (const entry of at.entries) {
      const read = Object.hasOwn(known, entry.key) ? known[entry.key] : undefined
      if (read) read(entry.value, `${path}.${entry.key}`, entry)
      else if (!entry.key.startsWith('x-'))
        reading.bad(
          entry.at,
          `${path}.${entry.key}`,
          `Of deploy there is resources.limits with cpus, memory and pids, and replicas: 1.`,
        )
    }
  }
  inside(node, key, {
    replicas: (value, path) => oneOf(only('each service is one container'), () => '1')(reading, draft, value, path),
    mode: (value, path) =>
      oneOf(only('each service is one container'), () => 'replicated')(reading, draft, value, path),
    labels: (_, path, { at }) => reading.note(at, path, serviceKeys.labels!.about),
    resources: (value, path) =>
      inside(value, path, {
        reservations: (_, at, entry) => reading.note(entry.at, at, 'What is limited is reserved.'),
        limits: (limits, at) =>
          inside(limits, at, {
            memory: (amount, where) => memory(reading, draft, amount, where),
            cpus: (amount, where) => cpus(reading, draft, amount, where),
            pids: (amount, where) => pids(reading, draft, amount, where),
          }),
      }),
  })
}
