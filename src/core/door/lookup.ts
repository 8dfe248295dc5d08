import { pickImage, visibleImages } from '../containers/allow.ts'
import type { Caller, Command, Need } from '../command/define.ts'
import type { Lookup } from '../command/lookup.ts'
import { nearest } from '../command/nearest.ts'
import { calledBy, type Container } from '../model/container.ts'
import { containerName, formatImageRef, parseImageRef, personName } from '../model/name.ts'
import type { Image } from '../model/image.ts'
import { canCall, mayName, mayTouch } from '../policy/can.ts'
import { DcmError } from '../reply/error.ts'
import type { Store } from '../store/store.ts'

/** Lists a few names for a refusal. They are all the caller's own. */
const some = (names: readonly string[]) =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`

/** The one of somebody's own things that is called so. @throws DcmError `not_found`, with the names that there are */
function ownNamed<T extends { name: string }>(noun: string, mine: readonly T[], name: string, instead: string): T {
  const found = mine.find((one) => one.name === name)
  if (found) return found
  const hint = mine.length > 0 ? `; you have ${some(mine.map((one) => one.name))}` : ''
  throw new DcmError('not_found', `You have no ${noun} called ${name.slice(0, 60)}${hint}.`, { try: instead })
}

const words = { view: 'to look at only', exec: 'to look at and to enter', ssh: 'to look at and to enter' } as const

/** What an actor's names stand for, for one command. Absent and not-yours take the same path to the same words. */
export function lookupFor(
  deps: { store: Store; commands: readonly Command[]; now(): Date },
  actor: Caller,
  need: Need,
): Lookup {
  const { store } = deps
  const { person } = actor

  const named = async (name: string) => (personName.test(name) ? store.people.byName(name) : undefined)
  const mine = async () => {
    return (await store.containers.visible(person.id)).filter((container) => mayTouch(actor, need, container))
  }

  /** What cannot be a name is nobody's; a database need not be able to hold it. */
  async function called(owner: string, own: string): Promise<Container | undefined> {
    if (!personName.test(owner) || !containerName.test(own)) return undefined
    if (owner === person.name) return store.containers.byName(person.id, own)
    if (!mayName(actor)) return store.containers.sharedAs(person.id, owner, own)
    const theirs = await store.people.byName(owner)
    return theirs && store.containers.byName(theirs.id, own)
  }

  // Good for some containers says nothing about what else is theirs.
  const volumes = async () => (actor.scope?.containers ? [] : store.volumes.of(person.id))
  const networks = async () => (actor.scope?.containers ? [] : store.networks.of(person.id))

  async function imagesOf(whose: 'any' | 'own' | 'offered'): Promise<Image[]> {
    const all = await visibleImages(store, actor)
    return whose === 'any' ? all : all.filter((image) => (image.ownerId !== null) === (whose === 'own'))
  }

  /** How an image that nobody here has may come to be here. */
  async function bringing(ref: string): Promise<string> {
    const allowed = (await store.registries.list()).map((one) => one.host)
    const from = allowed.find((one) => one === 'docker.io') ?? allowed[0]
    if (from === undefined) return ' An admin can offer others.'
    return ` pull ${from === 'docker.io' ? '' : `${from}/`}${ref} brings one from ${from}, or an admin offers it.`
  }

  return {
    async container(name) {
      const slash = name.indexOf('/')
      const [owner, own] = slash < 0 ? [person.name, name] : [name.slice(0, slash), name.slice(slash + 1)]
      const found = await called(owner, own)
      if (found && mayTouch(actor, need, found)) return found
      const share = found?.shares.find((one) => one.guestId === person.id)
      // That it is there is known to whom it is shared with; to all others it is not.
      if (found && share)
        throw new DcmError(
          'denied',
          `${owner}/${own} is shared with you ${words[share.level]}; its owner can share more.`,
          { try: 'shares' },
        )
      const names = (await mine()).map((container) => calledBy(person.id, container))
      const close = names.filter((known) => known.startsWith(name) || known.endsWith(`/${name}`))
      const hint = close.length > 0 ? `; you have ${some(close)}` : names.length > 0 ? `; you have ${some(names)}` : ''
      throw new DcmError('not_found', `You have no container called ${name.slice(0, 60)}${hint}.`, {
        try: 'ps',
      })
    },
    containerNames: async () => (await mine()).map((container) => calledBy(person.id, container)),
    async image(ref, whose) {
      const parsed = parseImageRef(ref)
      const full = parsed ? formatImageRef(parsed) : ref
      const images = await imagesOf(whose)
      const found = pickImage(images, full)
      if (found) return found
      const offered = whose === 'own' && (await imagesOf('offered')).find((image) => image.ref === full)
      if (offered)
        throw new DcmError(
          'not_found',
          mayName(actor)
            ? `${full} is offered to members and is no image of yours; image withdraw ends the offer.`
            : `${full} is offered by the admins and is no image of yours; commit makes one of a container.`,
          { try: mayName(actor) ? `image withdraw ${full}` : 'images' },
        )
      const refs = [...new Set(images.map((image) => image.ref.replace(/:latest$/, '')))]
        // What is kept of members who are gone goes by their names, and comes last.
        .toSorted((a, b) => Number(a.includes('/')) - Number(b.includes('/')))
      const meant = nearest(ref, refs)
      const hint = meant ? `; did you mean ${meant}?` : refs.length > 0 ? `; there is ${some(refs)}.` : '.'
      const more = meant || whose !== 'any' || !parsed ? '' : await bringing(full.replace(/:latest$/, ''))
      throw new DcmError('not_found', `You have no image called ${ref.slice(0, 80)}${hint}${more}`, { try: 'images' })
    },
    imageRefs: async (whose) => (await imagesOf(whose)).map((image) => image.ref.replace(/:latest$/, '')),
    volume: async (name) =>
      ownNamed('volume', await volumes(), name, containerName.test(name) ? `volume create ${name}` : 'volume ls'),
    volumeNames: async () => (await volumes()).map((volume) => volume.name),
    network: async (name) => ownNamed('network', await networks(), name, 'network ls'),
    networkNames: async () => (await networks()).map((network) => network.name),
    async group(name) {
      const found = mayName(actor) && personName.test(name) ? await store.groups.byName(name) : undefined
      if (found) return found
      throw new DcmError('not_found', `There is no group called ${name.slice(0, 40)}.`, { try: 'group ls' })
    },
    groupNames: async () => (mayName(actor) ? (await store.groups.list()).map((group) => group.name) : []),
    async person(name) {
      const found = name === person.name ? person : mayName(actor) ? await named(name) : undefined
      if (found) return found
      throw new DcmError(
        'not_found',
        `There is no member called ${name.slice(0, 40)}.`,
        mayName(actor) ? { try: 'user ls' } : {},
      )
    },
    personNames: async () => (mayName(actor) ? (await store.people.list()).map((one) => one.name) : [person.name]),
    commandNames: () => deps.commands.filter((command) => canCall(actor, command)).map((command) => command.name),
    now: deps.now,
  }
}
