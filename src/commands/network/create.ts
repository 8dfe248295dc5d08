import { z } from 'zod'
import { begin, defineCommand } from '../../core/command/define.ts'

export const networkCreate = defineCommand({
  name: 'network create',
  about: 'Make a network of your own; containers on it find each other by name, and those on others do not.',
  examples: ['network create back'],
  needs: 'member',
  changes: true,
  begins: true,
  args: { name: { kind: 'name', about: 'What you call it.' } },
  gives: z.object({ network: z.string() }),
  run: async ({ name }, { caller }) => begin('create-network', { ownerId: caller.person.id, name }),
})
