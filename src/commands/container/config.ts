import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { sshConfig } from '../../core/reply/sshconfig.ts'
import { info } from '../../core/reply/reply.ts'

export const config = defineCommand({
  name: 'config',
  about: 'Print what ~/.ssh/config and ~/.ssh/known_hosts need so that "ssh NAME" reaches each of your containers.',
  examples: ['config', 'config --only ssh-config', 'config --only known-hosts --prefix lab-'],
  needs: 'look',
  changes: false,
  private: true,
  args: {
    only: {
      kind: 'choice',
      of: ['ssh-config', 'known-hosts'],
      flag: true,
      optional: true,
      about: 'Just the lines of one file, to be written to it.',
    },
    prefix: { kind: 'text', flag: true, optional: true, about: 'What stands before each name on your machine.' },
  },
  gives: z.object({ config: z.string(), known_hosts: z.string() }),
  async run({ only, prefix = '' }, { caller, containers, place }) {
    const {
      config: lines,
      knownHosts,
      example,
    } = sshConfig((await containers.mine()).containers, caller.person.name, prefix, place)
    const data = { config: `${lines}\n`, known_hosts: `${knownHosts.join('\n')}\n` }
    if (only !== undefined) {
      const text = only === 'ssh-config' ? data.config : data.known_hosts
      const bytes = (async function* () {
        yield Buffer.from(text)
      })()
      return info(`These are the lines for ${only}.`, { data, file: { name: only, type: 'text/plain', bytes } })
    }
    const then = example ? `; then "ssh ${example}" works` : ''
    return info(`The first lines go into ~/.ssh/config, the others into ~/.ssh/known_hosts${then}.`, {
      code: `${data.config}\n${data.known_hosts}`.trimEnd(),
      data,
    })
  },
})
