import type { Engine } from '../engine.ts'
import { labels } from './create.ts'

/**
 * Finds an image whose programs may do DCM's own work: one that DCM built, or the one that those are built from. Never a
 * saved one, whose programs are its member's own; a commit blanks the label.
 */
export function createTrusted(engine: Pick<Engine, 'image' | 'imageTags'>, instance: string) {
  let known: string | undefined
  return async (): Promise<string | undefined> => {
    if (known !== undefined && (await engine.image(known))) return known
    for (const { ref } of await engine.imageTags()) {
      const image = await engine.image(ref)
      if (image?.labels[labels.built] === instance) return (known = image.engineId)
    }
    return (known = (await engine.image('debian:bookworm-slim'))?.engineId)
  }
}
