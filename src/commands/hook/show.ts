import { defineCommand } from '../../core/command/define.ts'
import { info } from '../../core/reply/reply.ts'
import { hookArg, hookData, toHookData, toHookFields } from './data.ts'

export const hookShow = defineCommand({
  name: 'hook show',
  aliases: ['hook inspect'],
  about: 'Show one of your webhooks: what it runs, when, and where it is sent to.',
  examples: ['hook show deploy'],
  needs: 'member',
  changes: false,
  beyond: true,
  private: true,
  args: { hook: hookArg },
  gives: hookData,
  async run({ hook: name }, { caller, hooks, now, place }) {
    const hook = await hooks.find(caller.person.id, name)
    return info(`The hook ${hook.name} runs: ${hook.line}.`, {
      fields: toHookFields(hook, place, now),
      data: toHookData(hook, place, now),
      actions: [{ label: 'Its log', line: `hook log ${hook.name}` }],
    })
  },
})
