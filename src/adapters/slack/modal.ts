import type { Field, Form } from '../../core/chat/form.ts'
import { type Block, cut, note, plainText } from './render.ts'

/** Options that a select may have, and how long each may be (docs.slack.dev, reference/block-kit/block-elements). */
const most = { options: 100, text: 75, value: 150, initial: 3000 } as const

const option = (text: string) => ({ text: plainText(text, most.text), value: text })

function element(field: Field, choices: readonly string[] | undefined): Block {
  const usable = choices?.filter((one) => one.length > 0 && one.length <= most.value).slice(0, most.options)
  if (field.type === 'flag')
    return {
      type: 'checkboxes',
      action_id: 'value',
      options: [option('yes')],
      ...(field.initial === 'true' ? { initial_options: [option('yes')] } : {}),
    }
  if (field.type === 'choice' && usable && usable.length > 0) {
    const initial = usable.find((one) => one === field.initial)
    return {
      type: 'static_select',
      action_id: 'value',
      options: usable.map(option),
      ...(initial ? { initial_option: option(initial) } : {}),
    }
  }
  const several = field.type === 'long' || field.type === 'lines'
  return {
    type: 'plain_text_input',
    action_id: 'value',
    multiline: several,
    ...(field.initial ? { initial_value: cut(field.initial, most.initial) } : {}),
  }
}

/** What a form carries so that its answer finds its way: Slack keeps it and shows it to nobody. */
export type Metadata = { command: string; reply: Record<string, unknown> }

/** A form as a modal; `choices` are what the caller may pick for fields that depend on them. */
export function modal(
  form: Form,
  choices: Record<string, readonly string[]>,
  metadata: Metadata,
): Record<string, unknown> {
  const blocks: Block[] = [note(form.about)]
  for (const field of form.fields.slice(0, 90))
    blocks.push({
      type: 'input',
      block_id: field.name,
      optional: field.optional,
      label: plainText(field.label, 2000),
      hint: plainText(field.about, 2000),
      element: element(field, field.choices ?? choices[field.name]),
    })
  return {
    type: 'modal',
    callback_id: 'form',
    title: plainText(form.title, 24),
    submit: plainText('Do it', 24),
    close: plainText('Cancel', 24),
    private_metadata: JSON.stringify(metadata),
    blocks,
  }
}

type Values = Record<
  string,
  Record<
    string,
    { value?: string | null; selected_option?: { value: string } | null; selected_options?: { value: string }[] }
  >
>

/** What was put into a modal, by field. */
export function valuesOf(values: Values): Record<string, string | boolean | null> {
  const read: Record<string, string | boolean | null> = {}
  for (const [name, block] of Object.entries(values)) {
    const state = block['value']
    if (!state) continue
    read[name] = state.selected_options
      ? state.selected_options.length > 0
      : (state.selected_option?.value ?? state.value ?? null)
  }
  return read
}
