import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { secretName } from '../../core/model/secret.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

const nameOf = (text: string): string => {
  if (secretName.test(text)) return text
  throw new DcmError(
    'usage',
    'A secret is called by up to 64 letters, digits, "_", "-" and ".", and does not begin with "." or "-".',
  )
}

export const secretSet = defineCommand({
  name: 'secret set',
  about: 'Give a container a secret: a file in /run/secrets, in no image, variable, log or answer.',
  examples: ['secret set web DB_PASSWORD -'],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container that gets it.' },
    name: { kind: 'text', about: 'Name of the file.' },
    value: {
      kind: 'line',
      about: 'What is in it: from a form, standard input (-) or a file (@FILE).',
      secret: true,
      hidden: true,
    },
  },
  gives: z.object({ container: z.string(), name: z.string(), path: z.string() }),
  async run({ container, name, value }, { secrets }) {
    const file = nameOf(name)
    if (value === '-' || value === '')
      throw new DcmError('usage', 'Nothing was sent as the value: fill in the form, or send it on standard input.', {
        try: 'help secret set',
      })
    await secrets.set(container, file, value)
    return ok(`${container.name} finds ${file} in /run/secrets now.`, {
      data: { container: container.name, name: file, path: `/run/secrets/${file}` },
    })
  },
})
