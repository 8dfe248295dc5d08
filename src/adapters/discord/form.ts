import { join } from 'shlex'
import type { Command } from '../../core/command/define.ts'
import { parseWords } from '../../core/command/parse.ts'
import { splitWords } from '../../core/command/words.ts'
import { type Field, formOf, readForm } from '../../core/chat/form.ts'
import { DcmError } from '../../core/reply/error.ts'

/** «Component Reference» and «Using Modal Components» of Discord's documentation. */
const limits = {
  title: 45,
  label: 45,
  description: 100,
  fields: 5,
  options: 25,
  option: 100,
  value: 4000,
  placeholder: 100,
}

/** What the fifth field holds where a command has more arguments than a form there has fields. */
const more = '+'

type Input =
  | {
      type: 4
      custom_id: string
      style: 1 | 2
      required: boolean
      max_length: number
      value?: string
      placeholder?: string
    }
  | { type: 3; custom_id: string; required: boolean; options: { label: string; value: string; default?: true }[] }
type Label = { type: 18; label: string; description?: string; component: Input }
export type Modal = { custom_id: string; title: string; components: Label[] }

const short = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

function component(field: Field, choices: readonly string[] | undefined): Input {
  const usable = (field.choices ?? choices ?? []).filter((one) => one.length > 0 && one.length <= limits.option)
  if (field.type === 'choice' && usable.length > 0 && usable.length <= limits.options)
    return {
      type: 3,
      custom_id: field.name,
      required: !field.optional,
      options: usable.map((value) => ({
        label: value,
        value,
        ...(value === field.initial ? { default: true as const } : {}),
      })),
    }
  return {
    type: 4,
    custom_id: field.name,
    style: field.type === 'long' || field.type === 'lines' ? 2 : 1,
    required: !field.optional,
    max_length: limits.value,
    ...(field.initial === undefined ? {} : { value: field.initial.slice(0, limits.value) }),
  }
}

/** Which arguments get a field of their own: those that have to be given, those that were, then in the command's order. */
function split(fields: readonly Field[], given: Record<string, unknown>): { own: Field[]; others: Field[] } {
  if (fields.length <= limits.fields && fields.every((field) => field.type !== 'flag'))
    return { own: [...fields], others: [] }
  const rank = (field: Field) =>
    !field.optional ? 0 : field.type === 'flag' || field.type === 'words' ? 3 : field.name in given ? 1 : 2
  const sorted = fields
    .map((field, at) => ({ field, at }))
    .toSorted((a, b) => rank(a.field) - rank(b.field) || a.at - b.at)
  const own = new Set(
    sorted
      .slice(0, limits.fields - 1)
      .filter(({ field }) => rank(field) < 3)
      .map(({ field }) => field),
  )
  return { own: fields.filter((field) => own.has(field)), others: fields.filter((field) => !own.has(field)) }
}

/** The fields whose choices depend on the caller, with the line that completes each. */
export function askedFor(
  commands: readonly Command[],
  name: string,
  given: Record<string, unknown>,
): { name: string; line: string }[] {
  const form = formOf(commands, name, given)
  return form
    ? split(form.fields, given).own.flatMap((field) =>
        field.complete === undefined ? [] : [{ name: field.name, line: field.complete }],
      )
    : []
}

/** A command's form. What was given already stands in it; what has no field of its own is typed as flags. */
export function toModal(
  commands: readonly Command[],
  name: string,
  given: Record<string, unknown>,
  choices: Record<string, readonly string[]>,
): Modal | undefined {
  const form = formOf(commands, name, given)
  const command = commands.find((one) => one.name === name)
  if (!form || !command) return undefined
  const { own, others } = split(form.fields, given)
  const components: Label[] = own.map((field) => ({
    type: 18,
    label: short(field.label, limits.label),
    description: short(field.about, limits.description),
    component: component(field, choices[field.name]),
  }))
  if (others.length > 0) {
    const words = others.flatMap(({ name: key }) => {
      const value = given[key]
      const arg = command.args[key]!
      if (value === undefined || arg.rest) return []
      return arg.kind === 'flag'
        ? value === true
          ? [`--${key}`]
          : []
        : (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => [
            `--${key}`,
            typeof one === 'string' ? one : JSON.stringify(one),
          ])
    })
    const rest = others.find(({ name: key }) => command.args[key]!.rest)
    const after = rest && Array.isArray(given[rest.name]) ? ['--', ...(given[rest.name] as string[])] : []
    const line = words.length + after.length > 0 ? join([...words, ...after]) : undefined
    const hint = others.map(({ name: key }) => (command.args[key]!.rest ? `-- ${key}` : `--${key}`)).join(' ')
    components.push({
      type: 18,
      label: 'Anything else',
      description: short(hint, limits.description),
      component: {
        type: 4,
        custom_id: more,
        style: 1,
        required: false,
        max_length: limits.value,
        ...(line ? { value: line.slice(0, limits.value) } : {}),
      },
    })
  }
  if (components.length === 0) return undefined
  return { custom_id: `form:${name}`, title: short(form.title, limits.title), components }
}

type Part = {
  component?: { custom_id?: string; value?: unknown; values?: unknown }
  components?: { custom_id?: string; value?: unknown }[]
}

/**
 * What was put into a form, as the arguments of a call.
 * @throws DcmError `usage` with what is wrong in which field
 */
export async function fromModal(
  commands: readonly Command[],
  name: string,
  parts: readonly Part[],
): Promise<Record<string, unknown>> {
  const command = commands.find((one) => one.name === name)
  if (!command) throw new DcmError('usage', 'That form is too old; type the command again.', { try: 'help' })
  const values: Record<string, string> = {}
  for (const part of parts)
    for (const one of [...(part.component ? [part.component] : []), ...(part.components ?? [])]) {
      const { custom_id: id, value, values: picked } = one as { custom_id?: string; value?: unknown; values?: unknown }
      const text = Array.isArray(picked) ? picked[0] : value
      if (typeof id === 'string' && typeof text === 'string' && text !== '') values[id] = text
    }
  const { [more]: line, ...own } = values
  const typed = line ? parseWords(commands, [...name.split(' '), ...splitWords(line)]) : undefined
  if (typed && typed.command !== command)
    throw new DcmError('usage', `What is typed under “Anything else” belongs to ${typed.command.name}, not to ${name}.`)
  const { args, wrong } = await readForm(commands, name, own)
  const reserved = typed
    ? Object.fromEntries(Object.entries(typed.reserved).filter(([, value]) => value !== false && value !== undefined))
    : {}
  const all = { ...args, ...typed?.given, ...reserved }
  const problems = Object.entries(wrong).filter(([key]) => all[key] === undefined || args[key] !== undefined)
  if (problems.length > 0)
    throw new DcmError(
      'usage',
      `${problems.map(([key, why]) => `${key}: ${why}`).join(' ')} Nothing was done; fill in the form again.`,
      { ask: { command: name, given: {}, missing: problems.map(([key]) => key) } },
    )
  return all
}
