import { HostError } from '../fault.ts'

/** The engine's own full id of a container, network or exec. */
export const fullId = /^[0-9a-f]{64}$/
/** The engine's own full id of an image. */
export const imageId = /^sha256:[0-9a-f]{64}$/
/** A name that DCM made: a member's text is never part of one. */
export const madeName = /^dcm-[a-z0-9][a-z0-9_.-]{0,120}$/

/** What can be a host name, and an alias on a network. */
export const hostName = /^[a-z][a-z0-9-]{0,62}$/

const refused = (what: string) => new HostError('refused', `${what} is not one that DCM made or the engine gave.`)

/** What may address a container: its full id, or a name that DCM made. @throws HostError `refused` */
export function containerRef(text: string): string {
  if (!fullId.test(text) && !madeName.test(text)) throw refused('The container reference')
  return text
}

/** A container's full id. @throws HostError `refused` */
export function containerId(text: string): string {
  if (!fullId.test(text)) throw refused('The container id')
  return text
}

/** @throws HostError `refused` unless it is a name that DCM made. */
export function networkName(text: string): string {
  if (!madeName.test(text)) throw refused('The network name')
  return text
}

/** @throws HostError `refused` unless it is an image's full id. */
export function fullImage(text: string): string {
  if (!imageId.test(text)) throw refused('The image id')
  return text
}

/** A tag in this instance's own part of the engine's image names. @throws HostError `refused` */
export function ownTag(instance: string, text: string): { repo: string; tag: string } {
  const match =
    /^(dcm\/[a-z0-9]+(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*){1,3})(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?$/.exec(text)
  if (!match || !match[1]!.startsWith(`dcm/${instance}/`) || text.length > 255) throw refused('The image name')
  return { repo: match[1]!, tag: match[2] ?? 'latest' }
}

/** An image by full id or by any name that has no way out of its place in a URL. @throws HostError `refused` */
export function imageRef(text: string): string {
  if (imageId.test(text)) return text
  const name =
    /^[a-z0-9][a-z0-9._:-]*(?:\/[a-z0-9][a-z0-9._-]*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/
  // A name made of hex digits alone would be taken for a short id.
  if (text.length > 255 || !name.test(text) || text.includes('..') || /^[0-9a-f]{4,64}$/.test(text))
    throw refused('The image name')
  return text
}
