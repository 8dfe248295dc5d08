import { type PlaceName, placeNames, type Places } from '../model/hook.ts'

export type Payload = Record<string, unknown>

/** What each place may hold: nothing that a parser, a shell or a flag could be made of. */
const forms: Record<PlaceName, RegExp> = {
  // git-check-ref-format(1), and of that only what tags and branches are usually made of.
  ref: /^[A-Za-z0-9](?:[A-Za-z0-9._/+-]{0,198}[A-Za-z0-9_+-])?$/,
  // SHA-1 or SHA-256, but not the zeros that stand for a branch that is gone.
  sha: /^(?!0+$)(?:[0-9a-f]{40}|[0-9a-f]{64})$/,
  // Reference of the OCI distribution specification: NAME[:TAG][@sha256:DIGEST].
  image:
    /^[a-z0-9][a-z0-9._-]{0,100}(?::\d{1,5})?(?:\/[a-z0-9][a-z0-9._-]{0,100}){0,6}(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
  repository: /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,6}$/,
}

/** Where each is found, first come first served: GitHub, Gitea and Forgejo, GitLab, then a JSON of one's own. */
const sources: Record<PlaceName, string[]> = {
  ref: [
    ...[
      'ref',
      'object_attributes.ref',
      'workflow_run.head_branch',
      'workflow_job.head_branch',
      'check_suite.head_branch',
    ],
    ...['release.tag_name', 'pull_request.head.ref', 'object_attributes.source_branch', 'tag'],
  ],
  sha: [
    ...['after', 'checkout_sha', 'object_attributes.sha', 'object_attributes.last_commit.id', 'workflow_run.head_sha'],
    ...['workflow_job.head_sha', 'check_suite.head_sha', 'deployment.sha', 'pull_request.head.sha', 'sha', 'commit'],
  ],
  image: ['image', 'registry_package.package_version.package_url', 'package.package_version.package_url'],
  repository: ['repository.full_name', 'project.path_with_namespace', 'repository'],
}

/** The value at a dotted path, among a JSON's own properties alone. */
export function at(payload: Payload, path: string): unknown {
  let current: unknown = payload
  for (const part of path.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined
    current = (current as Record<string, unknown>)[part]
  }
  return current
}

/** Reads a JSON object; an empty body is an empty one. @returns undefined when it is something else */
export function readPayload(bytes: Uint8Array): Payload | undefined {
  if (bytes.length === 0) return {}
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Payload) : undefined
  } catch {
    return undefined
  }
}

/** What a payload fills places with. A value of another form than its place's is left out: the place stays open. */
export function placesOf(payload: Payload): Places {
  const places: Places = {}
  for (const name of placeNames)
    for (const path of sources[name]) {
      const value = at(payload, path)
      if (typeof value !== 'string' || !fits(name, value)) continue
      places[name] = value
      break
    }
  return places
}

/** Whether a text may stand in a place. */
export const fits = (name: PlaceName, text: string): boolean =>
  forms[name].test(text) && text.length <= 300 && !text.includes('..') && !text.includes('//')

/** The event as the sender's headers say it, or as the payload itself does. */
export function eventOf(payload: Payload, header: string | null): string | null {
  const said = header ?? at(payload, 'event') ?? at(payload, 'type') ?? at(payload, 'object_kind')
  return typeof said === 'string' && /^[\w.:-]{1,80}$/.test(said) ? said : null
}
