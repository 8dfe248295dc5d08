import { isFault } from '../host/fault.ts'
import type { Host } from '../host/host.ts'

/** Drops a tag that nobody's image has any more. While a container still needs the image, or this process does not reach the host, it stays; upkeep tries again later. */
export async function dropTag(host: Host, ref: string): Promise<void> {
  try {
    await host.engine.untag(ref)
  } catch (error) {
    if (!(isFault(error, 'taken') || isFault(error, 'elsewhere'))) throw error
  }
}
