import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { givenName, refuseDevice } from '../../core/model/device.ts'
import { DcmError } from '../../core/reply/error.ts'
import { ok, warn } from '../../core/reply/reply.ts'

export const deviceAdd = defineCommand({
  name: 'device add',
  about: 'Name a device of the host, so that it can be granted to members.',
  examples: [
    'device add gpu /dev/dri/renderD128 --about "The one GPU, for rendering."',
    'grant alice device:gpu --for 7d',
  ],
  needs: 'admin',
  changes: 'rights',
  args: {
    name: { kind: 'text', about: 'What it is called from now on.' },
    path: { kind: 'text', about: 'Its path below /dev.' },
    about: { kind: 'prose', flag: true, optional: true, about: 'What it is for.' },
  },
  gives: z.object({ name: z.string(), path: z.string(), about: z.string() }),
  async run({ name, path, about = '' }, { site }) {
    if (!givenName.test(name))
      throw new DcmError('usage', 'A device name is 1 to 31 of a-z, 0-9 and "-", and starts with a letter.')
    const why = refuseDevice(path)
    if (why) throw new DcmError('usage', why)
    const device = { name, path, about }
    const there = await site.addDevice(device)
    const text = `${path} is called ${name} now; nobody has it until grant MEMBER device:${name}.`
    if (there) return ok(text, { data: device })
    return warn(`${text} The host has nothing at that path, so no container with it can start yet.`, { data: device })
  },
})
