import { placeNames, type Places } from '../model/hook.ts'
import { DcmError } from '../reply/error.ts'
import { at, type Payload } from './payload.ts'

/** What a delivery is looked at by: what was read out of it, and the JSON itself. */
export type Seen = { event: string | null; places: Places; payload: Payload }

/** Names that stand for the same whoever sends. */
const known: Record<string, (seen: Seen) => unknown> = {
  event: ({ event }) => event,
  branch: ({ places }) =>
    places.ref?.startsWith('refs/tags/') ? undefined : places.ref?.replace(/^refs\/heads\//, ''),
  tag: ({ places }) => (places.ref?.startsWith('refs/tags/') ? places.ref.slice('refs/tags/'.length) : undefined),
  ...Object.fromEntries(placeNames.map((name) => [name, ({ places }: Seen) => places[name]])),
}

// oxlint-disable-next-line no-control-regex
const form = /^([A-Za-z_]\w{0,60}(?:\.\w{1,60}){0,6})=([^\u0000-\u001f]{0,200})$/

/** @throws DcmError `usage` for what is no condition */
export function checkCondition(text: string): string {
  if (form.test(text)) return text
  throw new DcmError(
    'usage',
    `"${text.slice(0, 60)}" is no condition: give KEY=VALUE, where KEY is ref, branch, tag, sha, image, repository, event or a path in the payload such as workflow_run.conclusion; a "*" at the end of VALUE stands for anything.`,
  )
}

/** @returns the first condition that a delivery does not meet, or undefined when it meets them all */
export function unmet(conditions: readonly string[], seen: Seen): string | undefined {
  return conditions.find((text) => {
    const [, key, wanted] = form.exec(text) ?? []
    if (key === undefined || wanted === undefined) return true
    const found = Object.hasOwn(known, key) ? known[key]!(seen) : at(seen.payload, key)
    if (typeof found !== 'string' && typeof found !== 'boolean' && typeof found !== 'number') return true
    const value = String(found)
    return wanted.endsWith('*') ? !value.startsWith(wanted.slice(0, -1)) : value !== wanted
  })
}
