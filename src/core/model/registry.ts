/** An image in a registry. `registry` is `docker.io` where a name says none. */
export type Remote = { registry: string; path: string; tag: string | null; digest: string | null }

/** What is sent to a registry with each call. A token stands for a password that the registry has seen once. */
export type Credential = { username: string; password: string } | { identityToken: string }

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const registryName = new RegExp(`^${label}(?:\\.${label})*(?::([1-9]\\d{0,4}))?$`)

/** Docker Hub's other names. Docker docs, "docker login": the server that is meant where none is named. */
const hub = new Set(['docker.io', 'index.docker.io', 'hub.docker.com'])

/**
 * Reads HOST[:PORT]. It is compared letter by letter, so that what was allowed under one name is not allowed under
 * another that leads to the same place.
 * @returns undefined when the text is no such name
 */
export function parseRegistry(text: string): string | undefined {
  const match = text.length <= 255 ? registryName.exec(text) : null
  if (!match || Number(match[1] ?? 1) > 65_535) return undefined
  return hub.has(text) ? 'docker.io' : text
}

const part = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const remoteName = new RegExp(
  `^(${part}(?:/${part})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
)

/**
 * Reads the name of an image in a registry, as Docker does: what comes before the first slash is a registry if it has a
 * dot or a port or is localhost, and else the image is one of Docker Hub. Distribution, "reference", grammar.
 */
export function parseRemote(text: string): Remote | undefined {
  if (text.length > 255) return undefined
  const slash = text.indexOf('/')
  const first = text.slice(0, Math.max(0, slash))
  const named = first === 'localhost' || /[.:]/.test(first)
  const registry = named ? parseRegistry(first) : 'docker.io'
  const match = remoteName.exec(named ? text.slice(slash + 1) : text)
  if (!registry || !match) return undefined
  const path = registry === 'docker.io' && !match[1]!.includes('/') ? `library/${match[1]}` : match[1]!
  const digest = match[3] ?? null
  return { registry, path, tag: match[2] ?? (digest === null ? 'latest' : null), digest }
}

/** Writes it as Docker reads it; a digest says more than a tag. */
export const formatRemote = ({ registry, path, tag, digest }: Remote): string =>
  `${registry}/${path}${digest === null ? `:${tag}` : `@${digest}`}`

/**
 * Why this may be another thing for the host than for people: the host itself, its network, or a cloud's metadata.
 * A name that looks public may lead there too; that is for whoever allows it to know.
 */
export function inward(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '')
  if (!host.includes('.') || /\.(?:local|localhost|internal|lan|home|intranet)$/.test(host)) return true
  return /^[0-9.]+$|^0x/.test(host)
}
