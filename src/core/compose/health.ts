import type { Health } from '../model/health.ts'
import { by, count, type Reading, scalar, strings } from './reading.ts'
import type { Node } from './tree.ts'

/** A service's health check; null when it has none. */
export function readHealth(reading: Reading, node: Node, key: string): Health | null {
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
