import { z } from 'zod'
import { defineCommand } from '../../core/command/define.ts'
import { count } from '../../core/model/count.ts'
import { madeToRun } from '../../core/model/image.ts'
import { formatTime } from '../../core/model/time.ts'
import { formatSize } from '../../core/model/units.ts'
import { createLine, imageData, notByItself, toData } from '../../core/reply/image.ts'
import { info } from '../../core/reply/reply.ts'
import { plain } from '../../core/reply/text.ts'

/** What an image says of itself comes from whoever made it. */
const clean = (text: string, most: number) => [...plain(text).replace(/\s+/g, ' ').trim()].slice(0, most).join('')

/** Labels that tell people what an image is for. OCI image spec, "Annotations", pre-defined keys. */
const telling = (labels: Record<string, string>) => ({
  help: clean(labels['org.opencontainers.image.description'] ?? labels['org.opencontainers.image.title'] ?? '', 500),
  docs: clean(labels['org.opencontainers.image.documentation'] ?? labels['org.opencontainers.image.url'] ?? '', 200),
})

const words = (argv: string[]) => clean(argv.join(' '), 300)

export const imageShow = defineCommand({
  name: 'image show',
  about: 'Show what is in an image and what it was made from.',
  examples: ['image show web:v1'],
  needs: 'member',
  changes: false,
  private: true,
  args: { image: { kind: 'image', about: 'Image to look at.' } },
  gives: imageData.extend({
    os: z.string(),
    arch: z.string(),
    user: z.string(),
    workdir: z.string(),
    entrypoint: z.array(z.string()),
    command: z.array(z.string()),
    env: z.array(z.string()).describe('Names only.'),
    ports: z.array(z.string()),
    base: z.string().nullable().describe('The nearest image you can use whose layers it begins with.'),
    help: z.string(),
    docs: z.string(),
    used_by: z.array(z.string()).describe('Containers; those made before it was made anew are marked (older).'),
  }),
  async run({ image }, { images }) {
    const { inside, base, users } = await images.look(image)
    const { help, docs } = telling(inside.labels)
    const about = image.about || help
    const data = {
      ...toData(image),
      ...{ os: inside.os, arch: inside.arch, user: inside.user, workdir: inside.folder },
      ...{ entrypoint: inside.entrypoint, command: inside.command, env: inside.env, ports: inside.exposes },
      ...{ base: base?.ref ?? null, help, docs, used_by: users },
    }
    const optional = (name: string, value: string) => (value === '' ? {} : { [name]: value })
    return info(
      `${image.ref} is ${formatSize(image.size)} in ${count(image.layers, 'layer')}${about ? `: ${about.replace(/\.*$/, '')}` : ''}.${notByItself(image.ref, madeToRun(inside), createLine(image.ref))}`,
      {
        fields: {
          whose: data.whose,
          ...(image.useInstead ? { deprecated: `use ${image.useInstead}` } : {}),
          platform: clean(`${inside.os}/${inside.arch}`, 60),
          created: formatTime(image.createdAt),
          ...(image.source ? { 'comes from': image.source } : {}),
          ...(base ? { 'built on': `${base.ref} and ${image.layers - base.layers} more` } : {}),
          ...optional('entrypoint', words(inside.entrypoint)),
          ...optional('command', words(inside.command)),
          ...optional('user', clean(inside.user, 60)),
          ...optional('folder', clean(inside.folder, 200)),
          ...optional('variables', clean(inside.env.join(', '), 400)),
          ...optional('ports', clean(inside.exposes.join(', '), 300)),
          ssh: image.ssh ? 'has an SSH server' : 'no SSH server',
          ...optional('help', help === about ? '' : help),
          ...optional('documentation', docs),
          ...optional(
            'used by',
            users.slice(0, 20).join(', ') + (users.length > 20 ? ` and ${users.length - 20} more` : ''),
          ),
        },
        actions: [{ label: 'Create from it', line: `create NAME --image ${image.ref}` }],
        data,
      },
    )
  },
})
