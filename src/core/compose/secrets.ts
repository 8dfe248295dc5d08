import { mostSecrets, secretName } from '../model/secret.ts'
import { type Reading, scalar } from './reading.ts'
import type { At, Node } from './tree.ts'

/** Secrets that a file declares: the value that came with the call, or null for one that the container has to have. */
export type Secrets = Map<string, { value: string | null; external: boolean }>

/** A secret as a service takes it: `file` is its name below /run/secrets. */
export type Taken = { name: string; file: string; at: At }

/** Reads `secrets` of the file (Docker docs, "Compose file: secrets"). */
export function readSecrets(reading: Reading, node: Node, secrets: Secrets): void {
  if (node.is === 'null') return
  if (node.is !== 'map') return reading.bad(node.at, 'secrets', 'Secrets are a map, by their names.')
  for (const { key, at, value } of node.entries) {
    const path = `secrets.${key}`
    let from: string | undefined
    let external = false
    for (const option of value.is === 'map' ? value.entries : []) {
      const where = `${path}.${option.key}`
      if (option.key === 'environment') from = scalar(reading, option.value, where)
      else if (option.key === 'external') external = scalar(reading, option.value, where) === 'true'
      else if (option.key === 'labels') reading.note(option.at, where, 'Nothing here reads them.')
      else if (option.key === 'file')
        reading.bad(
          option.at,
          where,
          `The service reads no file of yours: write environment: ${variableOf(key)} here, and give the value with -e ${variableOf(key)}=VALUE.`,
        )
      else if (option.key === 'name') {
        const called = scalar(reading, option.value, where)
        if (called !== undefined && called !== key)
          reading.bad(option.at, where, 'Leave it out: a secret is called as its key.')
      } else if (!option.key.startsWith('x-'))
        reading.bad(option.at, where, 'A secret has environment or external: true.')
    }
    // What is wrong with it has been told, and is not told again of who takes it.
    secrets.set(key, { value: null, external: external && from === undefined })
    if (from !== undefined) {
      const given = reading.values.get(from)
      if (given) secrets.set(key, { value: given, external: false })
      else
        reading.bad(
          at,
          `${path}.environment`,
          `The variable ${from.slice(0, 64)} has no value; give it one with -e ${from.slice(0, 64)}=VALUE.`,
        )
    } else if (!external && !(value.is === 'map' && value.entries.some((option) => option.key === 'file')))
      reading.bad(at, path, 'It needs environment: NAME, whose value comes with -e, or external: true.')
  }
}

const variableOf = (name: string) =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .slice(0, 60)

/** Reads `secrets` of a service. */
export function readTaken(reading: Reading, node: Node, key: string): Taken[] {
  if (node.is === 'null') return []
  if (node.is !== 'list') {
    reading.bad(node.at, key, 'Secrets of a service are a list.')
    return []
  }
  if (node.items.length > mostSecrets) reading.bad(node.at, key, `A container has ${mostSecrets} secrets at most.`)
  return node.items.flatMap((item, index): Taken[] => {
    const path = `${key}.${index}`
    let [name, target] = [undefined as string | undefined, undefined as string | undefined]
    if (item.is !== 'map') name = scalar(reading, item, path)
    for (const option of item.is === 'map' ? item.entries : []) {
      const where = `${path}.${option.key}`
      if (option.key === 'source') name = scalar(reading, option.value, where)
      else if (option.key === 'target') target = scalar(reading, option.value, where)
      else if (['uid', 'gid', 'mode'].includes(option.key))
        reading.note(option.at, where, 'All that runs inside may read it.')
      else reading.bad(option.at, where, 'There is no such key.')
    }
    if (name === undefined) {
      if (item.is === 'map') reading.bad(item.at, path, 'It needs source.')
      return []
    }
    const file = (target ?? name).replace(/^\/run\/secrets\//, '')
    if (secretName.test(file)) return [{ name, file, at: item.at }]
    reading.bad(
      item.at,
      path,
      'A secret is a file in /run/secrets, called by up to 64 letters, digits, "_", "-" and ".".',
    )
    return []
  })
}

/** Whether what services take is declared. */
export function checkSecrets(
  reading: Reading,
  services: readonly { service: string; secrets: Taken[] }[],
  declared: Secrets,
): void {
  for (const { service, secrets } of services)
    for (const { name, at } of secrets)
      if (!declared.has(name))
        reading.bad(at, `services.${service}.secrets`, `The secret ${name.slice(0, 64)} is not declared under secrets.`)
}
