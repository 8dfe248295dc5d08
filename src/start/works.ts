import { randomBytes } from 'node:crypto'
import type { Config } from '../config.ts'
import type { Host } from '../core/host/host.ts'
import type { Place } from '../core/model/place.ts'
import type { Works } from '../core/operation/define.ts'
import { createSeal } from '../core/secret/seal.ts'
import type { Store } from '../core/store/store.ts'
import { readRecipes } from './offer.ts'

/** The one machine that DCM makes containers on. */
export const hostId = 'local'

/** Bytes that nobody can guess. */
export const random = (bytes: number): Buffer => randomBytes(bytes)

/** What every process works with, whatever its role. `images`: the folder that offered images are made from. */
export async function createWorks(given: {
  config: Config
  store: Store
  place: Place
  key: Buffer
  images: string
  /** @throws HostError for a host that this process does not know */
  host(id: string): Host
}): Promise<Works> {
  const { config, store, place, key, images, host } = given
  return {
    store,
    host,
    seal: createSeal(key),
    place,
    settings: {
      hostId,
      ports: config.ports,
      subnetPool: config.subnetPool,
      // What is wrong with the folder is told where the images are offered.
      recipes: await readRecipes(images).catch(() => new Map<string, string>()),
      signup: config.signup,
      ...(config.idleStop === undefined ? {} : { idleStop: config.idleStop }),
      ...(config.adminChannel ? { adminChannel: config.adminChannel } : {}),
    },
    now: () => new Date(),
    random,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
}
