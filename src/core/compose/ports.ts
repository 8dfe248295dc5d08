import type { PortWish } from '../command/intents.ts'
import { kinds } from '../command/kinds.ts'
import type { Proto } from '../model/container.ts'
import type { Draft } from './draft.ts'
import { by, none, type Reading, scalar } from './reading.ts'
import type { Node } from './tree.ts'

/** What a service publishes, in the short form and the long one. */
export function readPorts(reading: Reading, node: Node, key: string): Draft['ports'] {
  const ports: Draft['ports'] = []
  if (node.is !== 'list') {
    reading.bad(node.at, key, 'Ports are a list.')
    return ports
  }
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
    if (wish) ports.push({ wish, at: item.at })
  }
  return ports
}

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
