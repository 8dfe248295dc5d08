import { pickImage } from '../containers/allow.ts'
import type { Image } from '../model/image.ts'
import { formatImageRef, parseImageRef } from '../model/name.ts'
import { type Reading, scalar } from './reading.ts'
import type { Draft } from './draft.ts'
import type { At, Node } from './tree.ts'

/** What a service says of how its image is built: only read to say how, for nothing is built by `up`. */
export type Built = { context: string; dockerfile: string | undefined; at: At }

/** Reads `build` of a service. */
export function readBuild(reading: Reading, node: Node, key: string): Built | undefined {
  if (node.is === 'null' || (node.is === 'text' && node.text === 'false')) return undefined
  if (node.is !== 'map') return { context: scalar(reading, node, key) ?? '.', dockerfile: undefined, at: node.at }
  const text = (name: string) => {
    const found = node.entries.find((entry) => entry.key === name)
    return found && scalar(reading, found.value, `${key}.${name}`)
  }
  return { context: text('context') ?? '.', dockerfile: text('dockerfile'), at: node.at }
}

function imageOf(images: readonly Image[], ref: string): Image | undefined {
  // What pull brings from another's namespace has no namespace here.
  const parsed = parseImageRef(ref) ?? parseImageRef(ref.slice(ref.lastIndexOf('/') + 1))
  return pickImage(images, parsed ? formatImageRef(parsed) : ref)
}

/** The line that builds it, as far as it can be pasted. */
function lineFor({ context, dockerfile }: Built, ref: string): string {
  const plain = (text: string) =>
    /^[\w.~@#:/-]{1,200}$/.test(text) ? text : `'${text.replaceAll("'", "'\\''").slice(0, 200)}'`
  return `dcm build ${plain(ref)}${dockerfile === undefined ? '' : ` -f ${plain(dockerfile)}`} ${plain(context)}`
}

type Say = (at: At, key: string, why: string) => void

/**
 * The image that a service is made from. One that it would build has to be there, its caller's own, by the name that
 * Compose would give it (Docker docs, "Compose Build Specification").
 */
export function findImage(
  images: readonly Image[],
  draft: Draft,
  { name, key }: { name: string; key: string },
  bad: Say,
  note: Say,
): Image | undefined {
  const { build, image: asked } = draft
  if (build) {
    const ref = asked?.ref ?? name
    const found = imageOf(images, ref)
    const line = lineFor(build, ref.slice(ref.lastIndexOf('/') + 1))
    if (found && found.ownerId !== null) {
      note(
        build.at,
        `${key}.build`,
        `Nothing is built: your image ${found.ref} is taken as it is; ${line} makes it anew.`,
      )
      return found
    }
    bad(
      build.at,
      `${key}.build`,
      `Nothing is built here, and you have no image ${ref.slice(0, 80)} of your own: ${line} makes it first.`,
    )
    return undefined
  }
  const found = asked && imageOf(images, asked.ref)
  if (asked && !found)
    bad(
      asked.at,
      `${key}.image`,
      `You have no image called ${asked.ref.slice(0, 80)}; images lists those that you may use, and pull brings others.`,
    )
  if (found && asked.ref.includes('/')) note(asked.at, `${key}.image`, `This is taken to be your image ${found.ref}.`)
  return found
}
