import type { Context } from '../command/context.ts'
import { HostError } from '../host/fault.ts'
import { DcmError } from '../reply/error.ts'
import type { Store } from '../store/store.ts'

/** Devices and seccomp profiles that admins have named, so that a grant can name them too. */
export function createNamed({
  store,
  look,
}: {
  store: Store
  /** What is at a path of the host, for whoever reaches that. */
  look(path: string): Promise<'device' | 'disk' | 'nothing'>
}): Omit<Context['site'], 'doctor'> {
  const seen = (path: string) =>
    look(path).catch((error: unknown) => {
      if (error instanceof HostError) return 'device' as const
      throw error
    })

  return {
    devices: () => store.site.devices(),
    async addDevice(device) {
      const found = await seen(device.path)
      if (found === 'disk')
        throw new DcmError('usage', `${device.path} leads to a disk, which nobody gets; members have /storage.`)
      await store.tx(async (tx) => {
        const known = (await tx.site.devices()).find((one) => one.name === device.name)
        // Whoever was granted the name would silently get the other device.
        if (known && known.path !== device.path)
          throw new DcmError('conflict', `${device.name} names ${known.path} already; remove it first.`, {
            try: `device rm ${device.name}`,
          })
        await tx.site.putDevice(device)
      })
      return found === 'device'
    },
    removeDevice: (name) =>
      store.tx(async (tx) => {
        await tx.grants.removeThing(`device:${name}`)
        return tx.site.removeDevice(name)
      }),
    async seccomps() {
      return (await store.site.seccomps()).map(({ name, about }) => ({ name, about }))
    },
    addSeccomp: (profile) =>
      store.tx(async (tx) => {
        const known = (await tx.site.seccomps()).find((one) => one.name === profile.name)
        if (known && known.json !== profile.json)
          throw new DcmError('conflict', `There is another seccomp profile called ${profile.name}; remove it first.`, {
            try: `seccomp rm ${profile.name}`,
          })
        await tx.site.putSeccomp(profile)
      }),
    removeSeccomp: (name) =>
      store.tx(async (tx) => {
        await tx.grants.removeThing(`seccomp:${name}`)
        return tx.site.removeSeccomp(name)
      }),
  }
}
