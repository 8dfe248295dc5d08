/** The names people give: one documented rule each, used wherever such a name is read. */

/** What a member may be called. It also names their folder in replies, never on disk (ids do that). */
export const personName = /^[a-z][a-z0-9-]{1,30}$/

/** What a member may call a container: Docker's own rule, in lower case so that it is also a DNS name on their network. */
export const containerName = /^[a-z][a-z0-9-]{0,39}$/

const reserved = new Set(['root', 'dcm', 'guest', 'invite', 'system', 'nobody', 'all', 'me'])

const refuseAs =
  (whose: string) =>
  (name: string): string | undefined => {
    if (!personName.test(name)) return `A ${whose} name is 2 to 31 of a-z, 0-9 and "-", and starts with a letter.`
    return reserved.has(name) ? `Nobody can be called ${name}: that name is reserved.` : undefined
  }

/** @returns why `name` cannot be a member's name, or undefined when it can. */
export const refusePersonName = refuseAs('member')

/** @returns why `name` cannot be a group's name, or undefined when it can. */
export const refuseGroupName = refuseAs('group')

/** @returns why `name` cannot be a container's name, or undefined when it can. */
export function refuseContainerName(name: string): string | undefined {
  if (!containerName.test(name) || name.endsWith('-'))
    return 'A container name is 1 to 40 of a-z, 0-9 and "-", starts with a letter and does not end with "-".'
  if (/^[0-9a-f]{12,}$/.test(name)) return 'A container name may not look like a Docker id.'
  return undefined
}

/**
 * A file is named to the `dcm` command alone, which sends what is in it.
 * @returns why a text that is only the name of a file is not what is in it, or undefined when it is none
 */
export function refuseFileName(text: string): string | undefined {
  if (/^@[^\s@]{1,200}$/.test(text))
    return `${text} is a file that only the dcm command reads: by SSH pipe its content in and write - in its place; in a chat paste it.`
  if (/^(?:\.{0,2}\/)?[\w~-][\w./~-]{0,199}$/.test(text))
    return `"${text}" looks like the name of a file: write @${text} to have its content sent.`
  return undefined
}

/** @returns why `name` cannot be what a member calls a thing of theirs, or undefined when it can. */
export const refuseName = (name: string): string | undefined =>
  containerName.test(name) && !name.endsWith('-')
    ? undefined
    : 'A name is 1 to 40 of a-z, 0-9 and "-", starts with a letter and does not end with "-".'

/** A member's image reference: `name[:tag]` in a namespace of their own; the tag is `latest` when absent. */
export type ImageRef = { name: string; tag: string }

/**
 * Reads a member's image reference. Registries, paths, digests and ids are not such a reference:
 * what a member names never becomes a name in the engine.
 */
export function parseImageRef(text: string): ImageRef | undefined {
  const match = /^([a-z][a-z0-9]*(?:[._-][a-z0-9]+)*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,62}))?$/.exec(text)
  if (!match || match[1]!.length > 60 || /^([0-9a-f]{4,}|sha\d+)$/.test(match[1]!)) return undefined
  return { name: match[1]!, tag: match[2] ?? 'latest' }
}

/** Writes an image reference with its tag, as `images` shows it. */
export const formatImageRef = (ref: ImageRef): string => `${ref.name}:${ref.tag}`
