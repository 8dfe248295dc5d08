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

/** The images that a member may use now; `known`: their grants, where those have been read. */
export async function usableImages(
  tables: Pick<Tables, 'grants' | 'images'>,
  ownerId: string,
  known?: readonly Grant[],
): Promise<Image[]> {
  const grants = known ?? readGrants(await tables.grants.of(ownerId))
  return (await tables.images.visible(ownerId)).filter((image) => mayUse(image, ownerId, grants))
}

/** The images that a caller sees: those they may use, and for an admin whose call is not narrowed every offered one. */
export const visibleImages = (tables: Pick<Tables, 'grants' | 'images'>, { person, scope }: Caller): Promise<Image[]> =>
  person.role === 'admin' && !scope ? tables.images.visible(person.id) : usableImages(tables, person.id)

/** Which of a member's images a full name stands for: their own before an offered one. */
export const pickImage = (images: readonly Image[], ref: string): Image | undefined =>
  images.find((image) => image.ref === ref && image.ownerId !== null) ?? images.find((image) => image.ref === ref)
