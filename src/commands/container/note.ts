import { defineCommand } from '../../core/command/define.ts'
import { containerData, toData } from '../../core/reply/container.ts'
import { ok } from '../../core/reply/reply.ts'

export const note = defineCommand({
  name: 'note',
  about: 'Write down what a container is for; without a text the note is removed.',
  examples: ['note web "the demo for Friday"', 'note web'],
  needs: 'own',
  changes: true,
  args: {
    container: { kind: 'container', about: 'Container it is about.' },
    text: { kind: 'prose', about: 'The note.', optional: true },
  },
  gives: containerData,
  async run({ container, text }, { containers, place }) {
    const noted = await containers.note(container, text ?? '')
    return ok(text ? `Noted for ${container.name}.` : `${container.name} has no note any more.`, {
      data: toData(noted, place),
    })
  },
})
