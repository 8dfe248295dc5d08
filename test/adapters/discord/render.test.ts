import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, escape, span } from '../../../src/adapters/discord/escape.ts'
import { toModal } from '../../../src/adapters/discord/form.ts'
import { hasForm, isSame, publish } from '../../../src/adapters/discord/publish.ts'
import { type Rendered, render, renderSure } from '../../../src/adapters/discord/render.ts'
import { commands } from '../../../src/commands/index.ts'
import { defineCommand } from '../../../src/core/command/define.ts'
import { info } from '../../../src/core/reply/reply.ts'
import { hostile } from '../../contracts/chat.ts'
import { anyLetter, letter, shapes } from '../../contracts/letters.ts'
import { checkCommands, checkMessage, checkModal, type Json } from '../../stand-ins/discord/limits.ts'

const shown = ({ body, files }: Rendered) => ({
  ...body,
  files: files.map(({ name, data }) => ({ name, bytes: data.length })),
})
const file = join(import.meta.dirname, 'golden.json')
if (process.env['DCM_TEST_GOLDEN'] === 'write')
  writeFileSync(
    file,
    `${JSON.stringify(Object.fromEntries(Object.entries(shapes).map(([name, one]) => [name, shown(render(one))])), null, 2)}\n`,
  )
const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

const faults = ({ body, files }: Rendered) =>
  checkMessage(
    body as unknown as Json,
    files.map(({ name, data }) => ({ name, bytes: data.length })),
    true,
  )

/** What Discord would read as mark-up: all that is neither code nor escaped. */
const live = (text: string) =>
  text
    .replace(/```[\s\S]*?```/g, '')
    .replace(/`` .*? ``/g, '')
    .replace(/(?<!\\)`[^`\n]*`/g, '')
    .replace(/\\[^\w\s]/g, '')
const texts = ({ body }: Rendered): string[] => [
  body.content,
  ...body.embeds.flatMap((embed) => [
    embed.description,
    ...(embed.fields ?? []).flatMap((field) => [field.name, field.value]),
  ]),
]

describe('each shape as Discord JSON', () => {
  test('all of them are in the golden file', () => {
    expect(Object.keys(golden)).toEqual(Object.keys(shapes))
  })
  test.each(Object.entries(shapes))('%s', (name, one) => {
    const message = render(one)
    expect(shown(message)).toEqual(golden[name])
    expect(faults(message)).toEqual([])
    expect(message.body.allowed_mentions).toEqual({ parse: [] })
  })
})

test('I02: what members write pings nobody, links nowhere and hides nothing', () => {
  const message = render(shapes['hostile']!)
  expect(message.body.content).toBe('')
  for (const text of texts(message)) {
    // Bold and italics of our own are all that is left.
    expect(live(text).replace(/^\*|\*$|\*\*/gm, '')).not.toMatch(/[@<>[\]|`~]|https?:\/\//)
  }
  expect(escape('@everyone <@&1> [x](http://evil) ||s|| discord.gg/abc')).toBe(
    '\\@everyone \\<\\@&1\\> \\[x\\](http:\\/\\/evil) \\|\\|s\\|\\| discord.gg\\/abc',
  )
})

test('I03: colours, cursor movements and bidi marks are taken out or shown', () => {
  const message = render(
    letter(info('It says:', { code: '\u001b[31mred\u001b[2J\u001b]52;c;AAAA\u0007 \u202eevil\b```\n@everyone' })),
  )
  const [{ description } = { description: '' }] = message.body.embeds
  // oxlint-disable-next-line no-control-regex
  expect(description).not.toMatch(/[\u001b\u0007\b\u202e]/)
  expect(description).toContain('red')
  // The block ends where it should, and nowhere before.
  expect(description.match(/```/g)).toHaveLength(2)
  expect(description.endsWith('\n```')).toBe(true)
})

test('whatever a Reply holds, Discord takes it, and nothing of it is mark-up', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 1500 }),
    fc.constant(hostile.repeat(60)),
    fc.constant('`'.repeat(500)),
    fc.constant('\\'.repeat(501)),
    fc.constant('😀'.repeat(1500)),
    fc.constant(''),
  )
  fc.assert(
    fc.property(anyLetter(text), (one) => {
      const message = render(one)
      expect(faults(message)).toEqual([])
      for (const each of texts(message))
        expect(live(each).replace(/^\*|\*$|\*\*/gm, '')).not.toMatch(/@(everyone|here)|<[@#:]/)
      for (const each of texts(message)) expect(each.isWellFormed()).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('text is cut between characters, never behind a lone backslash, and the cut is shown', () => {
  expect(cut('😀😀😀', 4)).toBe('😀…')
  expect(cut('abc', 3)).toBe('abc')
  expect(cut('a\\*bcd', 3)).toBe('a…')
  expect(span('a`b')).toBe('`` a`b ``')
})

test('text that is nothing but spaces or line ends is looked at once, not anew from each of them', () => {
  expect(span(`${' '.repeat(2_000_000)}x`)).toHaveLength(2_000_003)
  expect(escape(`${'\n'.repeat(2_000_000)}- x`)).toMatch(/\n\\- x$/)
})

test('a log of megabytes is a file, of which the end is kept', () => {
  const message = render(
    letter(
      info('The log of web:', {
        code: Array.from({ length: 400_000 }, (_, n) => `line ${n} of a long log that goes on`).join('\n'),
      }),
    ),
  )
  expect(message.files).toHaveLength(1)
  expect(message.files[0]!.data.length).toBeLessThan(8.1 * 2 ** 20)
  expect(message.files[0]!.data.toString().endsWith('line 399999 of a long log that goes on')).toBe(true)
  expect(message.files[0]!.data.toString().startsWith('(cut')).toBe(true)
  expect(faults(message)).toEqual([])
})

test('what asks before it destroys fits too', () => {
  expect(
    checkMessage(renderSure('x'.repeat(24), hostile.repeat(10).slice(0, 80)) as unknown as Json, [], true),
  ).toEqual([])
})

describe('commands as Discord has them', () => {
  const { published, problems } = publish(commands)

  test('every command is there, Discord takes them all, and what does not fit whole is told', () => {
    expect(checkCommands(published as unknown as Json[])).toEqual([])
    const paths = published.flatMap((top) =>
      top.options.some((option) => option.type === 1)
        ? top.options.map((option) => `${top.name} ${option.name}`)
        : [top.name],
    )
    for (const command of commands)
      expect([...paths, ...paths.map((path) => path.replace(/ ls$/, ''))]).toContain(command.name)
    expect(problems.filter((problem) => problem.includes('cannot be published'))).toEqual([])
  })

  test('they are for servers and direct messages with the bot, not for what people add for themselves; those of admins are not shown to all', () => {
    for (const one of published) expect(one).toMatchObject({ contexts: [0, 1], integration_types: [0] })
    expect(published.find((one) => one.name === 'audit')).toMatchObject({ default_member_permissions: '32' })
    expect(published.find((one) => one.name === 'ps')).toMatchObject({ default_member_permissions: null })
    // Of a noun that has both, members need the half that is theirs.
    expect(published.find((one) => one.name === 'quota')).toMatchObject({ default_member_permissions: null })
  })

  test('no secret is ever an option', () => {
    const secrets = commands.flatMap((command) =>
      Object.entries(command.args)
        .filter(([, arg]) => arg.secret)
        .map(([name]) => [command.name, name] as const),
    )
    expect(secrets.length).toBeGreaterThan(2)
    for (const [name, arg] of secrets) {
      const [first, second] = name.split(' ')
      const top = published.find((one) => one.name === first)!
      const leaf = second ? top.options.find((one) => one.name === second)! : top
      expect(
        (leaf.options ?? []).map((one) => one.name),
        name,
      ).not.toContain(arg)
    }
  })

  test('what cannot be published is told and left out', () => {
    const args = (count: number) =>
      Object.fromEntries(
        Array.from(
          { length: count },
          (_, n) => [`a${n}`, { kind: 'text', optional: true, flag: true, about: 'x'.repeat(100) }] as const,
        ),
      )
    const many = defineCommand({
      name: 'many',
      about: 'Too many.',
      needs: 'member',
      changes: false,
      args: args(26),
      run: () => Promise.resolve(info('x.')),
    })
    const odd = defineCommand({
      name: 'Odd!',
      about: 'No name.',
      needs: 'member',
      changes: false,
      args: {},
      run: () => Promise.resolve(info('x.')),
    })
    const big = Array.from({ length: 4 }, (_, n) =>
      defineCommand({
        name: `big b${n}`,
        about: 'Too long.',
        needs: 'member',
        changes: false,
        args: args(25),
        run: () => Promise.resolve(info('x.')),
      }),
    )
    const made = publish([many, odd, ...big])
    expect(made.published.map((one) => one.name)).toEqual(['dcm'])
    expect(made.problems).toEqual(
      [
        expect.stringContaining('more than 25 options'),
        expect.stringContaining('"Odd!" is no name'),
        expect.stringContaining('more than 8000 characters'),
      ].map((one) => one as string),
    )
  })

  test('what Discord gives back of them is the same to us; any change is not', () => {
    const back = published.toReversed().map((one) => ({
      ...one,
      id: '1',
      version: '2',
      nsfw: false,
      contexts: one.contexts.toReversed(),
      options: one.options.length > 0 ? one.options : undefined,
    }))
    expect(isSame(back as never, published)).toBe(true)
    expect(isSame(back.slice(1) as never, published)).toBe(false)
    expect(isSame(back.map((one, n) => (n === 3 ? { ...one, description: 'other' } : one)) as never, published)).toBe(
      false,
    )
  })
})

test('every form is one that Discord shows, with what was given in it', () => {
  const forms = commands.filter((command) => Object.keys(command.args).length > 0)
  for (const command of forms) {
    const modal = toModal(commands, command.name, {}, { image: Array.from({ length: 30 }, (_, n) => `image${n}`) })
    expect(modal && checkModal(modal as unknown as Json), command.name).toEqual([])
  }
  expect(forms.filter(hasForm).map((command) => command.name)).toEqual(expect.arrayContaining(['create', 'key add']))
  const create = toModal(
    commands,
    'create',
    { name: 'web', 'cap-add': ['SYS_PTRACE'], command: ['sh', '-c', 'a b'] },
    { image: ['debian', 'python'] },
  )!
  const parts = Object.fromEntries(create.components.map(({ component }) => [component.custom_id, component]))
  expect(parts['name']).toMatchObject({ type: 4, value: 'web' })
  expect(parts['image']).toMatchObject({ type: 3, options: [{ value: 'debian' }, { value: 'python' }] })
  expect(JSON.stringify(create)).toContain('SYS_PTRACE')
})
