import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'
import { partsOf, projectArg } from './file.ts'

const gives = z.object({ project: z.string() })

export const composeStop = defineCommand({
  name: 'compose stop',
  about: 'Stop the services of a composition; compose up starts them again.',
  examples: ['compose stop shop'],
  needs: 'member',
  changes: true,
  begins: true,
  private: true,
  args: {
    project: projectArg,
    time: { kind: 'count', flag: true, short: 't', default: 10, about: 'Seconds to wait before what runs is killed.' },
  },
  gives,
  async run({ project, time }, { caller, containers }) {
    const parts = partsOf(project, (await containers.mine()).containers).map((one) => one.id)
    return begin('compose-stop', {
      ownerId: caller.person.id,
      project,
      containers: parts,
      seconds: Math.min(time, 300),
    })
  },
})

export const composeDown = defineCommand({
  name: 'compose down',
  about: 'Remove the containers of a composition with all that is inside them, and its networks.',
  examples: ['compose down shop', 'compose down shop --volumes'],
  needs: 'member',
  changes: true,
  begins: true,
  private: true,
  args: {
    project: projectArg,
    volumes: { kind: 'flag', about: 'Its own volumes too, with all that they hold; not those that are external.' },
  },
  gives,
  confirms: ({ project, volumes }) =>
    `Remove the containers of ${project}${volumes ? ' and its volumes' : ''}? What is inside them and not in /storage${volumes ? '' : ' or a volume'} is lost.`,
  async run({ project, volumes }, { caller, containers, networks }) {
    const left = (await networks.list()).some((network) => network.project === project)
    const parts = partsOf(project, (await containers.mine()).containers, left).map((one) => one.id)
    return begin('compose-down', { ownerId: caller.person.id, project, containers: parts, volumes })
  },
})
