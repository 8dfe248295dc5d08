import { kinds } from '../command/kinds.ts'
import { nearest } from '../command/nearest.ts'
import { splitWords } from '../command/words.ts'
import { parseCap, parseRestart } from '../model/grant.ts'
import { DcmError } from '../reply/error.ts'
import type { Draft } from './draft.ts'
import { readHealth } from './health.ts'
import { readBuild } from './image.ts'
import { cpus, memory, oneOf, only, pids, type Reader, readDeploy } from './limits.ts'
import { readOn } from './networks.ts'
import { readPorts } from './ports.ts'
import { by, none, type Reading, scalar, strings } from './reading.ts'
import { readTaken } from './secrets.ts'
import { ruleOf, serviceKeys } from './subset.ts'
import type { At, Node } from './tree.ts'
import { readVolumes } from './volumes.ts'

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
  ports: (reading, draft, node, key) => void (draft.ports = readPorts(reading, node, key)),
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
  volumes: (reading, draft, node, key) => void (draft.volumes = readVolumes(reading, node, key)),
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
