import { begin, defineCommand } from '../../core/command/define.ts'
import { endedData } from '../../core/reply/ended.ts'
import { networkFlag, networksOf } from '../network/asked.ts'
import { newFlags } from './flags.ts'
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
    network: networkFlag,
    ...newFlags,
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
