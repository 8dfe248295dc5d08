import { begin, defineCommand } from '../../core/command/define.ts'
import { containerData } from '../../core/reply/container.ts'
import { DcmError } from '../../core/reply/error.ts'

export const update = defineCommand({
  name: 'update',
  about: 'Give containers other limits, without stopping them.',
  examples: ['update web -m 1g', 'update web db --cpus 2 --pids-limit 512'],
  needs: 'own',
  changes: true,
  begins: true,
  args: {
    container: { kind: 'container', about: 'Containers to change.', each: true },
    memory: { kind: 'size', about: 'Memory it may use.', flag: true, short: 'm', optional: true },
    cpus: { kind: 'cpus', about: 'CPUs it may use.', flag: true, optional: true },
    'pids-limit': { kind: 'count', about: 'Processes it may have.', flag: true, optional: true },
  },
  gives: containerData,
  async run(args, { containers }) {
    const { memory, cpus, 'pids-limit': pids } = args
    if (memory === undefined && cpus === undefined && pids === undefined)
      throw new DcmError('usage', 'update needs at least one of -m, --cpus and --pids-limit.', { try: 'help update' })
    const checked = await containers.limits({ memory, cpus, pids })
    return begin('update', {
      containerId: args.container.id,
      limits: {
        ...(memory === undefined ? {} : { memory: checked.memory }),
        ...(cpus === undefined ? {} : { cpus: checked.cpus }),
        ...(pids === undefined ? {} : { pids: checked.pids }),
      },
    })
  },
})
