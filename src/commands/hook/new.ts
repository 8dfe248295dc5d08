import { defineCommand } from '../../core/command/define.ts'
import { schemes } from '../../core/model/hook.ts'
import { howTo, hookUrl, isLocal } from '../../core/reply/hook.ts'
import { ok, warn } from '../../core/reply/reply.ts'
import { hookData, toHookData, toHookFields } from './data.ts'
import { z } from 'zod'

export const hookNew = defineCommand({
  name: 'hook new',
  aliases: ['hook add', 'hook create', 'webhook new'],
  about: 'Let CI run one line of yours by a webhook; the secret is shown once.',
  examples: [
    'hook new deploy --do "redeploy web" --verify github --on push --if ref=refs/heads/main',
    'hook new tests --do "run debian -- sh -c \'echo testing {sha}\'" --verify token',
  ],
  needs: 'member',
  changes: 'rights',
  records: true,
  private: true,
  args: {
    name: { kind: 'text', about: 'What you call it: a-z, 0-9 and "-".' },
    do: {
      kind: 'line',
      flag: true,
      about: 'The line that it runs; {ref}, {sha}, {image} and {repository} are filled from what is sent.',
    },
    verify: {
      kind: 'choice',
      of: schemes,
      flag: true,
      default: 'token',
      about: 'How the sender signs: github, gitlab, gitea (Forgejo too), standard, or token for curl.',
    },
    on: {
      kind: 'text',
      word: 'EVENT',
      flag: true,
      many: true,
      optional: true,
      about: 'Only for this event, such as push; may be given several times.',
    },
    if: {
      kind: 'text',
      word: 'KEY=VALUE',
      flag: true,
      many: true,
      optional: true,
      about: 'Only when KEY=VALUE holds of what is sent; may be given several times.',
    },
    for: { kind: 'duration', flag: true, default: '90d', about: 'How long it lives, at most 366d.' },
  },
  gives: hookData.extend({ secret: z.string().describe('What the sender signs with; shown only now.') }),
  async run({ name, do: line, verify, on, if: conditions, for: lives }, { caller, consider, hooks, now, place }) {
    // A line with places in it is only whole when something is sent.
    const { refusal } = /\{[a-z_]+\}/.test(line) ? { refusal: null } : await consider(line)
    const { hook, secret } = await hooks.add(caller, {
      name,
      line,
      verify,
      events: [...new Set(on)],
      conditions,
      lives,
    })
    const local = isLocal(hookUrl(place, hook))
    const text = `This is your hook ${name}; its secret is shown only this once.`
    const doubts = [
      refusal ? ` As things are its line would be refused: ${refusal.message}` : '',
      local
        ? ' Its address is one of this machine alone: an admin has to set DCM_PUBLIC_URL before others reach it.'
        : '',
    ].join('')
    return (doubts === '' ? ok : warn)(text + doubts, {
      fields: toHookFields(hook, place, now),
      code: howTo(hook, place, secret),
      private: true,
      data: { ...toHookData(hook, place, now), secret },
      actions: [{ label: 'Its log', line: `hook log ${name}` }],
    })
  },
})
