import type { Intents, Source } from '../command/intents.ts'
import { volumeAt } from '../host/files.ts'
import type { Mounted } from '../model/volume.ts'

type Input = Pick<Intents['build'], 'source' | 'context'>

/** A folder inside that COPY reads from, and what it is called to its member. */
export type Root = { path: string; shown: string }

/**
 * Folders of a build in its member's storage, which no other container sees: what it is made from, unless that is in
 * /storage already, and what its stages leave for later ones. They are mounted in this order; `path` is where the entry
 * program has them looked for.
 */
export const foldersOf = (id: string, { source }: Input, at: { fetching: boolean; stages: number }): Mounted[] => [
  // Once it is there nothing changes it, so that a crash can begin anew from it.
  ...(source ? [{ id, name: 'context', path: '/dcm-context', readOnly: !at.fetching }] : []),
  ...(at.stages > 1 ? [{ id: `${id}s`, name: 'stages', path: '/dcm-stages', readOnly: false }] : []),
]

/** Where a source is fetched to. */
export const sourceAt = volumeAt(0)

/** Where the stages of a build leave what later ones take. */
export const stagesAt = ({ source }: Input): string => volumeAt(source ? 1 : 0)

/** A source as COPY reads from it. */
export const rootOf = (source: Source): Root =>
  source.kind === 'git'
    ? { path: `${sourceAt}/${source.folder}`, shown: 'the repository' }
    : { path: sourceAt, shown: 'what was sent' }

/** What COPY reads from. */
export function rootFor({ context, source }: Input): Root {
  if (source) return rootOf(source)
  const path = `/storage/${context ?? '.'}`
  return { path, shown: path }
}
