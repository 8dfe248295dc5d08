import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { givenName } from '../../core/model/device.ts'
import { readSeccomp } from '../../core/model/seccomp.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok } from '../../core/reply/reply.ts'

export const seccompAdd = defineCommand({
  name: 'seccomp add',
  about: 'Name a seccomp profile, so that it can be granted to members.',
  examples: [
    'seccomp add tracing @tracing.json --about "Allows perf_event_open."',
    'grant alice seccomp:tracing --for 7d',
  ],
  needs: 'admin',
  changes: 'rights',
  args: {
    name: { kind: 'text', about: 'What it is called from now on.' },
    profile: { kind: 'document', secret: true, about: "The profile as JSON in Docker's form; the client reads @FILE." },
    about: { kind: 'prose', flag: true, optional: true, about: 'What it is for.' },
  },
  gives: z.object({ name: z.string(), about: z.string() }),
  async run({ name, profile, about = '' }, { site }) {
    if (!givenName.test(name))
      throw new DcmError('usage', 'A profile name is 1 to 31 of a-z, 0-9 and "-", and starts with a letter.')
    const read = readSeccomp(profile)
    if ('reason' in read) throw new DcmError('usage', read.reason)
    await site.addSeccomp({ name, json: read.json, about })
    return ok(`The seccomp profile ${name} is there; nobody has it until grant MEMBER seccomp:${name}.`, {
      data: { name, about },
    })
  },
})
