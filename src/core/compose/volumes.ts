import { mostMounted, mountable } from '../model/volume.ts'
import type { Draft } from './draft.ts'
import { type Reading, scalar } from './reading.ts'
import type { Node } from './tree.ts'

/** What a service mounts. */
export function readVolumes(reading: Reading, node: Node, key: string): Draft['volumes'] {
  const volumes: Draft['volumes'] = []
  if (node.is !== 'list') reading.bad(node.at, key, 'Volumes are a list.')
  else for (const [index, item] of node.items.entries()) readVolume(reading, volumes, item, `${key}.${index}`)
  return volumes
}

function readVolume(reading: Reading, volumes: Draft['volumes'], node: Node, key: string): void {
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
  if (volumes.some((one) => one.path === target))
    return reading.bad(node.at, key, `Two volumes are mounted at ${target}; leave one out.`)
  if (volumes.length === mostMounted)
    return reading.bad(node.at, key, `A container has ${mostMounted} volumes at most.`)
  volumes.push({ name: source, path: target, readOnly, at: node.at })
}
