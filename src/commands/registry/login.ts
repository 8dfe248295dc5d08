import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const registryLogin = defineCommand({
  name: 'registry login',
  about: 'Log in to a registry that admins allow, for your own pull and push alone.',
  examples: ['registry login docker.io --user alice'],
  needs: 'member',
  changes: true,
  private: true,
  args: {
    registry: { kind: 'registry', about: 'Registry to log in to.' },
    password: {
      kind: 'line',
      about: 'Password or access token: from a form, standard input (-) or a file (@FILE).',
      secret: true,
      hidden: true,
    },
    user: { kind: 'text', about: 'Your name there.', flag: true, short: 'u' },
  },
  gives: z.object({ registry: z.string(), user: z.string() }),
  async run({ registry, user, password }, { registries }) {
    if (password === '-' || password === '')
      throw new DcmError('usage', 'Nothing was sent as the password: fill in the form, or send it on standard input.', {
        try: 'help registry login',
      })
    await registries.login(registry, user, password)
    return ok(`You are logged in to ${registry} as ${user}; registry logout ${registry} forgets that.`, {
      data: { registry, user },
    })
  },
})
