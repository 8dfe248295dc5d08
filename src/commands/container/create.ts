import { begin, defineCommand } from '../../core/command/define.ts'
import { networkFlag, networksOf } from '../network/asked.ts'
import { newFlags } from './flags.ts'
import { volumesOf } from '../volume/mounted.ts'
import { containerData } from '../../core/reply/container.ts'

export const create = defineCommand({
  name: 'create',
  aliases: ['new', 'run -d'],
  about: 'Create a container and start it.',
  examples: ['create web --image debian', 'create web --image python -p 8000 -m 1g -- python3 -m http.server 8000'],
  needs: 'member',
  changes: true,
  begins: true,
  private: true,
  args: {
    name: { kind: 'container-name', about: 'What you call it; also its host name.' },
    image: { kind: 'image', about: 'Image to create it from, as `images` lists them.', flag: true },
    publish: {
      kind: 'port',
      about: 'A port of the container to open to the outside; DCM picks the outer one.',
      flag: true,
      short: 'p',
      many: true,
      optional: true,
    },
    network: networkFlag,
    ...newFlags,
    restart: { kind: 'restart', about: 'When it is started again by itself (granted).', flag: true, default: 'no' },
    'cap-add': {
      kind: 'cap',
      about: 'A capability beyond the usual ones (granted).',
      flag: true,
      many: true,
      optional: true,
    },
    device: {
      kind: 'text',
      about: "A device of the admins' list, by its name (granted).",
      flag: true,
      many: true,
      optional: true,
    },
    seccomp: {
      kind: 'text',
      word: 'PROFILE',
      about: "A seccomp profile of the admins' list, by its name (granted).",
      flag: true,
      optional: true,
    },
    ttl: {
      kind: 'duration',
      about: 'How long it lives: then it is removed with everything inside.',
      flag: true,
      optional: true,
    },
    'no-wake': { kind: 'flag', about: 'Coming in by SSH does not start it while it is stopped.' },
    command: { kind: 'argv', about: 'What runs inside, beside the SSH server.', rest: true },
  },
  gives: containerData,
  async run(args, { caller, containers }) {
    const limits = await containers.limits({ memory: args.memory, cpus: args.cpus, pids: args['pids-limit'] })
    const { network, joins } = networksOf(args.network)
    return begin('create', {
      ownerId: caller.person.id,
      name: args.name,
      imageId: args.image.id,
      imageRef: args.image.ref,
      limits,
      spec: {
        env: args.env,
        command: args.command,
        restart: args.restart,
        caps: [...new Set(args['cap-add'])],
        devices: [...new Set(args.device)],
        seccomp: args.seccomp ?? null,
        ...volumesOf(args.volume),
        ...(network ? { network } : {}),
        ...(args['no-wake'] ? { wake: false as const } : {}),
      },
      ports: args.publish,
      ...(joins ? { joins } : {}),
      ...(args.ttl === undefined ? {} : { lives: args.ttl }),
    })
  },
})
