import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { ok } from '../../core/reply/reply.ts'

/** The verbs that say who is in a group. */
const verb = (name: 'join' | 'leave', about: string, now: string) =>
  defineCommand({
    name: `group ${name}`,
    about,
    examples: [`group ${name} lab alice bob`],
    needs: 'admin',
    changes: 'rights',
    args: {
      group: { kind: 'group', about: 'The group.' },
      member: { kind: 'person', about: 'Who.', each: true },
    },
    gives: z.object({ group: z.string(), member: z.string() }),
    async run({ group, member }, { groups }) {
      await groups[name](group, member)
      return ok(`${member.name} ${now} ${group.name}.`, { data: { group: group.name, member: member.name } })
    },
  })

export const groupJoin = verb('join', 'Let members into a group.', 'is in')
export const groupLeave = verb('leave', 'Take members out of a group; what they run goes on.', 'is no longer in')
