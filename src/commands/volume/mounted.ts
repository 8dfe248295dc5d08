import { type Mounted, mostMounted } from '../../core/model/volume.ts'
import { DcmError } from '../../core/reply/error.ts'

/** What a container's spec says of its volumes: nothing when it has none. @throws DcmError `usage` */
export function volumesOf(mounted: readonly Mounted[]): { volumes?: Mounted[] } {
  if (mounted.length > mostMounted)
    throw new DcmError('usage', `A container has ${mostMounted} volumes at most, and this has ${mounted.length}.`)
  const twice = mounted.find((one, at) => mounted.findIndex((other) => other.path === one.path) < at)
  if (twice) throw new DcmError('usage', `Two volumes are mounted at ${twice.path}; leave one out.`)
  return mounted.length > 0 ? { volumes: [...mounted] } : {}
}
