import type { Container } from '../model/container.ts'
import type { Image } from '../model/image.ts'
import type { Tables } from '../store/store.ts'

/** Tells of these containers whether an image, which one was made from, has been made anew under its name since. */
export async function readRenewed(
  tables: Pick<Tables, 'containers'>,
  containers: readonly Pick<Container, 'id'>[],
): Promise<(container: Pick<Container, 'id'>, image: Pick<Image, 'engineId'>) => boolean> {
  const made = await tables.containers.madeFrom(containers.map((one) => one.id))
  return ({ id }, { engineId }) => made.get(id) !== engineId
}
