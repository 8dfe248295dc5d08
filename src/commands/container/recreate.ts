import { begin, defineCommand } from '../../core/command/define.ts'
import type { Context } from '../../core/command/context.ts'
import type { PortWish } from '../../core/command/intents.ts'
import { type Container, publicPorts } from '../../core/model/container.ts'
import type { Image } from '../../core/model/image.ts'
import { called, containerData } from '../../core/reply/container.ts'
import { volumesOf } from '../volume/mounted.ts'
import { DcmError } from '../../core/reply/error.ts'

const grace = 10

/** `8000` or `8000/healthz`. */
function readHealth(text: string | undefined): { port: number; path: string } | null {
  if (text === undefined) return null
  const match = /^([1-9]\d{0,4})(\/[\x21-\x7e]{0,150})?$/.exec(text)
  if (!match || Number(match[1]) > 65535)
    throw new DcmError('usage', '--health is PORT or PORT/PATH of the container, like 8000/healthz.')
  return { port: Number(match[1]), path: match[2] ?? '/' }
}

/** The image that a container is to be made of: the one that is named, or what its own one's name stands for now. */
async function imageFor(container: Container, image: Image | undefined, images: Context['images']): Promise<Image> {
  if (image) return image
  const all = (await images.visible()).filter((one) => one.ref === container.imageRef)
  const found = all.find((one) => one.ownerId === container.ownerId) ?? all.find((one) => one.ownerId === null)
  if (found) return found
  throw new DcmError(
    'conflict',
    `The image ${container.imageRef} is gone; say which one ${container.name} is to run with --image.`,
    { try: 'images' },
  )
}

/** What a spec says of the network: nothing when it is the main one. */
const networkOf = (network: { id: string; name: string } | undefined) =>
  network ? { network: { id: network.id, name: network.name } } : {}

const shared = {
  image: {
    kind: 'image',
    flag: true,
    optional: true,
    about: 'The image that it is to run; its own, as it is now, when absent.',
  },
  health: {
    kind: 'text',
    word: 'PORT/PATH',
    flag: true,
    optional: true,
    about: 'PORT/PATH of the container that has to answer HTTP before the old one goes.',
  },
  time: { kind: 'count', flag: true, short: 't', default: grace, about: 'Seconds to wait before what runs is killed.' },
} as const

export const redeploy = defineCommand({
  name: 'redeploy',
  about: 'Run a container on a new image; the old one comes back when the new one does not come up.',
  examples: ['redeploy web', 'redeploy web --image web:v2 --health 8000/healthz'],
  needs: 'own',
  changes: true,
  begins: true,
  private: true,
  args: { container: { kind: 'container', each: true, about: 'Containers it is done to.' }, ...shared },
  gives: containerData,
  async run({ container, image, health, time }, { images }) {
    const found = await imageFor(container, image, images)
    return begin('recreate', {
      ...{ containerId: container.id, imageId: found.id, imageRef: found.ref, spec: container.spec },
      ...{ ports: null, health: readHealth(health), seconds: Math.min(time, 300) },
    })
  },
})

export const recreate = defineCommand({
  name: 'recreate',
  about: 'Change what Docker cannot change in place: ports, variables, capabilities, command, image.',
  examples: [
    'recreate web -p 8080',
    'recreate web --clear ports -p 443 -e MODE=live',
    'recreate web -- python3 app.py',
  ],
  needs: 'own',
  changes: true,
  begins: true,
  private: true,
  args: {
    container: {
      kind: 'container',
      about: 'The container; what is inside it and not in /storage is as in its image again.',
    },
    ...shared,
    publish: {
      kind: 'port',
      flag: true,
      short: 'p',
      many: true,
      optional: true,
      about: 'One more port to open; DCM picks the outer one.',
    },
    volume: {
      kind: 'mount',
      about: 'One more volume of yours, and where it is inside.',
      flag: true,
      short: 'v',
      many: true,
      optional: true,
    },
    network: {
      kind: 'network',
      about: 'A network of yours, instead of the one that it is made on.',
      flag: true,
      optional: true,
    },
    env: {
      kind: 'env',
      flag: true,
      short: 'e',
      many: true,
      optional: true,
      secret: true,
      about: 'A variable to set or to change.',
    },
    'cap-add': { kind: 'cap', flag: true, many: true, optional: true, about: 'One more capability (granted).' },
    restart: { kind: 'restart', flag: true, optional: true, about: 'When it is started again by itself (granted).' },
    clear: {
      kind: 'choice',
      of: ['ports', 'env', 'caps', 'command', 'volumes', 'network'],
      flag: true,
      many: true,
      optional: true,
      about: 'Leave out what it has of these before anything is added.',
    },
    command: { kind: 'argv', rest: true, about: 'What runs inside instead of what ran.' },
  },
  gives: containerData,
  confirms({ container, publish, clear }) {
    const had = publicPorts(container).map(called)
    const stay =
      publish.length === 0 || had.length === 0 || clear.includes('ports')
        ? ''
        : ` Open as before: ${had.join(', ')}, unless --clear ports leaves that out.`
    return `Make ${container.name} anew? What was changed inside it and is not in /storage is lost; commit it first to keep it.${stay}`
  },
  async run(args, { images }) {
    const { container, clear } = args
    const found = await imageFor(container, args.image, images)
    const { volumes: mounted = [], network: on, ...spec } = container.spec
    const cleared = (what: (typeof clear)[number]) => clear.includes(what)
    const nameOf = (pair: string) => pair.slice(0, pair.indexOf('='))
    const set = new Set(args.env.map(nameOf))
    const kept = cleared('env') ? [] : spec.env.filter((pair) => !set.has(nameOf(pair)))
    const had: PortWish[] = cleared('ports')
      ? []
      : publicPorts(container).map(({ container: inside, proto, host }) => ({ container: inside, proto, host }))
    const alike = (one: PortWish, other: PortWish) => one.container === other.container && one.proto === other.proto
    const named = args.publish.filter((wish) => wish.host !== undefined)
    const stays = had.filter((port) => !named.some((wish) => alike(wish, port)))
    const ports = [...stays, ...args.publish.filter((wish) => !stays.some((port) => alike(port, wish)))]
    const command = args.command.length > 0 ? args.command : cleared('command') ? [] : spec.command
    return begin('recreate', {
      ...{ containerId: container.id, imageId: found.id, imageRef: found.ref },
      spec: {
        ...spec,
        ...{ env: [...kept, ...args.env], command, restart: args.restart ?? spec.restart },
        ...networkOf(args.network ?? (cleared('network') ? undefined : on)),
        ...volumesOf([
          ...(cleared('volumes') ? [] : mounted).filter((had) => !args.volume.some((wish) => wish.path === had.path)),
          ...args.volume,
        ]),
        caps: [...new Set([...(cleared('caps') ? [] : spec.caps), ...args['cap-add']])],
      },
      ports: cleared('ports') || args.publish.length > 0 ? ports : null,
      ...{ health: readHealth(args.health), seconds: Math.min(args.time, 300) },
    })
  },
})
