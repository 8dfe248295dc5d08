import { begin, defineCommand } from '../../core/command/define.ts'
import { endedData } from '../../core/reply/ended.ts'
import { networkFlag, networksOf } from '../network/asked.ts'
import { volumesOf } from '../volume/mounted.ts'
import { checkRun } from './exec.ts'

export const run = defineCommand({
  name: 'run',
  about: 'Run one command in a container of its own, tell how it ended, and remove it.',
  examples: [
    'run debian -- sh -c "echo hello"',
    'run python -m 1g --timeout 30m -e MODE=test -- python3 -m pytest /storage/tests',
  ],
  needs: 'member',
  changes: true,
  begins: true,
  private: true,
  args: {
    image: { kind: 'image', about: 'Image to run it in, as `images` lists them.' },
    name: { kind: 'container-name', flag: true, optional: true, about: 'What the container is called while it lives.' },
    volume: {
      kind: 'mount',
      about: 'A volume of yours, and where it is inside.',
      flag: true,
      short: 'v',
      many: true,
      optional: true,
    },
    network: networkFlag,
    env: {
      kind: 'env',
      flag: true,
      short: 'e',
      many: true,
      optional: true,
      secret: true,
      about: 'An environment variable.',
    },
    memory: { kind: 'size', flag: true, short: 'm', optional: true, about: 'Memory it may use; 512m when absent.' },
    cpus: { kind: 'cpus', flag: true, optional: true, about: 'CPUs it may use; 1 when absent.' },
    'pids-limit': { kind: 'count', flag: true, optional: true, about: 'Processes it may have; 256 when absent.' },
    timeout: {
      kind: 'duration',
      flag: true,
      default: '10m',
      about: 'How long it may take before it is stopped, at most 1h.',
    },
    command: { kind: 'argv', rest: true, about: 'The command and its arguments, as they are.' },
  },
  gives: endedData,
  async run(args, { caller, containers }) {
    checkRun(args.command, args.timeout, 'run debian -- ls')
    const limits = await containers.limits({ memory: args.memory, cpus: args.cpus, pids: args['pids-limit'] })
    return begin('run', {
      ...{ ownerId: caller.person.id, imageId: args.image.id, imageRef: args.image.ref, name: args.name ?? null },
      ...{ limits, env: args.env, command: args.command, lives: args.timeout, ...volumesOf(args.volume) },
      ...networksOf(args.network),
    })
  },
})
