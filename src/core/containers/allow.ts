import type { Caller } from '../command/define.ts'
import { DcmError } from '../reply/error.ts'
import type { PortWish } from '../command/intents.ts'
import { formatRestart, type Grant, permitsRestart } from '../model/grant.ts'
import type { Reach, Spec } from '../model/container.ts'
import type { Image } from '../model/image.ts'
import type { Tables } from '../store/store.ts'
import { readGrants } from './admit.ts'

const ask = (what: string, thing: string) =>
  new DcmError('denied', `${what} needs a grant: an admin can give it with "grant MEMBER ${thing}".`, {
    try: `request ${thing}`,
  })

/**
 * Checks everything that an admin must have permitted against the grants in force: the one place where it is decided,
 * for create and for every later start.
 * @throws DcmError `denied` naming the first thing that is not permitted and the grant that would permit it
 */
export function checkGrants(grants: readonly Grant[], spec: Spec, ports: readonly PortWish[]): void {
  if (!permitsRestart(grants, spec.restart))
    throw ask(`The restart policy ${formatRestart(spec.restart)}`, `restart:${formatRestart(spec.restart)}`)
  for (const cap of spec.caps)
    if (!grants.some((grant) => grant.kind === 'cap' && grant.cap === cap))
      throw ask(`The capability ${cap}`, `cap:${cap}`)
  for (const name of spec.devices)
    if (!grants.some((grant) => grant.kind === 'device' && grant.name === name))
      throw ask(`The device ${name}`, `device:${name}`)
  if (spec.seccomp !== null && !grants.some((grant) => grant.kind === 'seccomp' && grant.name === spec.seccomp))
    throw ask(`The seccomp profile ${spec.seccomp}`, `seccomp:${spec.seccomp}`)
  checkPorts(grants, ports)
}

/** The same for ports alone; `reach`: from where one that is added is to be reached. */
export function checkPorts(grants: readonly Grant[], ports: readonly PortWish[], reach?: Reach): void {
  if (reach === 'public' && !grants.some((grant) => grant.kind === 'public-ports'))
    throw ask('A port at every address of this machine', 'port:public')
  for (const { host } of ports)
    if (host !== undefined && !grants.some((grant) => grant.kind === 'port' && grant.port === host))
      throw ask(`The host port ${host}`, `port:${host}`)
}

/** Whether a member may create from an image: their own, an offered one, or a restricted one that they were granted. */
export const mayUse = (image: Image, personId: string, grants: readonly Grant[]): boolean =>
  image.ownerId === personId ||
  (image.ownerId === null &&
    (!image.restricted ||
      grants.some(
        (grant) => grant.kind === 'image' && (grant.ref === image.ref || `${grant.ref}:latest` === image.ref),
      )))

/** The images that a caller may use, and for an admin whose call is not narrowed every offered one. */
export async function visibleImages(tables: Pick<Tables, 'grants' | 'images'>, caller: Caller): Promise<Image[]> {
  const { person, scope } = caller
  const grants = readGrants(await tables.grants.of(person.id))
  const all = await tables.images.visible(person.id)
  return all.filter((image) => mayUse(image, person.id, grants) || (person.role === 'admin' && !scope))
}
