import { refuseContainerName } from '../model/name.ts'
import { type Reading, scalar, strings } from './reading.ts'
import type { At, Node } from './tree.ts'

/** A network of the file as a service names it. */
export type On = { name: string; aliases: string[]; at: At }

/** Networks that a file declares; `external`: the name of one that has to be there. */
export type Declared = Map<string, { external: string | undefined; at: At }>

/** What every service is on that names no network (Docker docs, "Compose file: networks"). */
export const main = 'default'

const mostAliases = 16
const off = (node: Node) => node.is === 'null' || (node.is === 'text' && node.text === 'false')

/** Reads `networks` of the file. */
export function readNetworks(reading: Reading, node: Node, networks: Declared): void {
  if (node.is === 'null') return
  if (node.is !== 'map') return reading.bad(node.at, 'networks', 'Networks are a map, by their names.')
  for (const { key, at, value } of node.entries) {
    let [external, called] = [false, undefined as string | undefined]
    for (const option of value.is === 'map' ? value.entries : []) {
      const path = `networks.${key}.${option.key}`
      const text = () => scalar(reading, option.value, path)
      if (option.key === 'external') external = text() === 'true'
      else if (option.key === 'name') called = text()
      else if (option.key === 'driver') {
        if (text() !== 'bridge') reading.bad(option.at, path, 'A network here is a bridge; leave its driver out.')
      } else if (option.key === 'labels') reading.note(option.at, path, 'Nothing here reads them.')
      else if (option.key === 'attachable') reading.note(option.at, path, 'Your own containers can join each of them.')
      else if (option.key === 'internal' && !off(option.value))
        reading.bad(
          option.at,
          path,
          'Every network reaches what the site lets containers reach; none is cut off from it.',
        )
      else if (!['internal', 'enable_ipv4', 'enable_ipv6'].includes(option.key) && !option.key.startsWith('x-'))
        reading.bad(option.at, path, 'It has no options here: DCM chooses its subnet.')
    }
    if (called !== undefined && !external)
      reading.bad(
        at,
        `networks.${key}.name`,
        'A network of the project is called PROJECT-NAME; only one that is external has a name of its own.',
      )
    if (key === main && !external)
      reading.note(at, `networks.${key}`, 'This is your main network, which all of yours are on that name no other.')
    networks.set(key, { external: external ? (called ?? key) : undefined, at })
  }
}

/** Reads `networks` of a service. @returns undefined where it names none */
export function readOn(reading: Reading, node: Node, key: string): On[] | undefined {
  if (node.is !== 'map') {
    const named = strings(reading, node, key).map(({ text, at }) => ({ name: text, aliases: [], at }))
    return named.length > 0 ? named : undefined
  }
  const on: On[] = []
  for (const { key: name, at, value } of node.entries) {
    const one: On = { name, aliases: [], at }
    on.push(one)
    if (value.is !== 'map' && value.is !== 'null')
      reading.bad(value.at, `${key}.${name}`, 'A network is a map of what the service has there, or nothing.')
    for (const option of value.is === 'map' ? value.entries : []) {
      const path = `${key}.${name}.${option.key}`
      if (option.key === 'aliases') one.aliases = readAliases(reading, option.value, path)
      else if (['priority', 'gw_priority'].includes(option.key))
        reading.note(option.at, path, 'Every network reaches the same outside.')
      else if (!option.key.startsWith('x-'))
        reading.bad(option.at, path, "Addresses are DCM's to give; of a network a service has aliases.")
    }
  }
  return on.length > 0 ? on : undefined
}

function readAliases(reading: Reading, node: Node, key: string): string[] {
  const aliases = strings(reading, node, key)
  if (aliases.length > mostAliases) reading.bad(node.at, key, `A service has ${mostAliases} aliases at most.`)
  for (const { text, at } of aliases) {
    const why = refuseContainerName(text)
    if (why) reading.bad(at, key, why.replace('A container name', 'An alias'))
  }
  return aliases.map(({ text }) => text)
}

/** Whether what services name is declared, and what is declared has a use. */
export function checkNetworks(
  reading: Reading,
  services: readonly { service: string; networks: On[] | undefined }[],
  declared: Declared,
): void {
  const used = new Set<string>()
  for (const { service, networks = [] } of services)
    for (const { name, at } of networks) {
      used.add(name)
      if (name !== main && !declared.has(name))
        reading.bad(
          at,
          `services.${service}.networks`,
          `The network ${name.slice(0, 60)} is not declared under networks.`,
        )
    }
  for (const [name, { at }] of declared)
    if (name !== main && !used.has(name))
      reading.note(at, `networks.${name}`, 'No service is on it, so it is not made.')
}
