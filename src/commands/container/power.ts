import { begin, defineCommand } from '../../core/command/define.ts'
import type { Intents } from '../../core/command/intents.ts'
import { containerData } from '../../core/reply/container.ts'

/** Seconds between SIGTERM and SIGKILL when nobody says. */
const grace = 10

/** The verbs that take containers and nothing else: start, pause, unpause. */
const verb = (name: 'start' | 'pause' | 'unpause', about: string) =>
  defineCommand({
    name,
    about,
    examples: [`${name} web`],
    needs: 'operate',
    changes: true,
    begins: true,
    args: { container: { kind: 'container', about: 'Containers it is done to.', each: true } },
    gives: containerData,
    run: async ({ container }) => begin(name, { containerId: container.id }),
  })

/** The verbs that end what runs: stop, restart. */
const ending = (name: 'stop' | 'restart', about: string) =>
  defineCommand({
    name,
    about,
    examples: [`${name} web`, `${name} web -t 30`],
    needs: 'operate',
    changes: true,
    begins: true,
    args: {
      container: { kind: 'container', about: 'Containers it is done to.', each: true },
      time: {
        kind: 'count',
        about: 'Seconds to wait before what runs is killed.',
        flag: true,
        short: 't',
        default: grace,
      },
    },
    gives: containerData,
    async run({ container, time }) {
      const input: Intents['stop'] = { containerId: container.id, seconds: Math.min(time, 300) }
      return begin(name, input)
    },
  })

export const start = verb('start', 'Start stopped containers.')
export const stop = ending('stop', 'Stop running containers; their ports and files are kept.')
export const restart = ending('restart', 'Stop containers and start them again.')
export const pause = verb('pause', 'Freeze containers where they are.')
export const unpause = verb('unpause', 'Let paused containers go on.')
