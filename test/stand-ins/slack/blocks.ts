/** Checks Block Kit as Slack does. @returns what is wrong, in words */

type Part = Record<string, unknown>
const part = (value: unknown): Part =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Part) : {}
const list = (value: unknown): Part[] => (Array.isArray(value) ? value.map(part) : [])

const surfaces = { message: 50, modal: 100, home: 100 } as const
export type Surface = keyof typeof surfaces

const known: Record<Surface, readonly string[]> = {
  message: ['section', 'divider', 'context', 'actions', 'header', 'rich_text', 'image', 'file', 'markdown', 'table'],
  modal: ['section', 'divider', 'context', 'actions', 'header', 'rich_text', 'image', 'input'],
  home: ['section', 'divider', 'context', 'actions', 'header', 'rich_text', 'image', 'input'],
}

export function checkBlocks(blocks: unknown, surface: Surface): string[] {
  const wrong: string[] = []
  if (!Array.isArray(blocks)) return ['blocks is no list']
  if (blocks.length > surfaces[surface]) wrong.push(`${blocks.length} blocks; ${surfaces[surface]} are allowed`)
  const ids = new Set<string>()

  const text = (value: unknown, where: string, most: number, types: readonly string[] = ['plain_text', 'mrkdwn']) => {
    const one = part(value)
    if (typeof one['type'] !== 'string' || !types.includes(one['type']))
      wrong.push(`${where}: its type is ${String(one['type'])}`)
    if (typeof one['text'] !== 'string' || one['text'].length === 0) wrong.push(`${where}: no text`)
    else if (one['text'].length > most) wrong.push(`${where}: ${one['text'].length} characters; ${most} are allowed`)
  }
  const plain = ['plain_text']

  const confirm = (value: unknown, where: string) => {
    if (value === undefined) return
    const one = part(value)
    text(one['title'], `${where}.title`, 100, plain)
    text(one['text'], `${where}.text`, 300)
    text(one['confirm'], `${where}.confirm`, 30, plain)
    text(one['deny'], `${where}.deny`, 30, plain)
  }

  const option = (value: unknown, where: string) => {
    const one = part(value)
    text(one['text'], where, 75)
    if (typeof one['value'] !== 'string' || one['value'].length > 150) wrong.push(`${where}: its value`)
  }

  const element = (one: Part, where: string, actions: Set<string>) => {
    const id = one['action_id']
    if (id !== undefined && (typeof id !== 'string' || id.length > 255)) wrong.push(`${where}: action_id`)
    if (typeof id === 'string') {
      if (actions.has(id)) wrong.push(`${where}: action_id ${id} stands twice in one block`)
      actions.add(id)
    }
    switch (one['type']) {
      case 'button':
        text(one['text'], `${where}.text`, 75, plain)
        if (typeof one['value'] === 'string' && one['value'].length > 2000)
          wrong.push(`${where}: value of ${one['value'].length}`)
        if (one['style'] !== undefined && one['style'] !== 'primary' && one['style'] !== 'danger')
          wrong.push(`${where}: style`)
        confirm(one['confirm'], `${where}.confirm`)
        break
      case 'static_select': {
        const options = list(one['options'])
        if (options.length < 1 || options.length > 100) wrong.push(`${where}: ${options.length} options`)
        options.forEach((each, at) => option(each, `${where}.options[${at}]`))
        if (
          one['initial_option'] !== undefined &&
          !options.some((each) => JSON.stringify(each) === JSON.stringify(one['initial_option']))
        )
          wrong.push(`${where}: initial_option is no option`)
        break
      }
      case 'checkboxes': {
        const options = list(one['options'])
        if (options.length < 1 || options.length > 10) wrong.push(`${where}: ${options.length} options`)
        options.forEach((each, at) => option(each, `${where}.options[${at}]`))
        break
      }
      case 'plain_text_input':
        if (typeof one['initial_value'] === 'string' && one['initial_value'].length > 3000)
          wrong.push(`${where}: initial_value`)
        break
      default:
        wrong.push(`${where}: unknown element ${String(one['type'])}`)
    }
  }

  list(blocks).forEach((block, at) => {
    const where = `blocks[${at}]`
    const type = String(block['type'])
    if (!known[surface].includes(type)) wrong.push(`${where}: ${type} is not for a ${surface}`)
    const id = block['block_id']
    if (id !== undefined) {
      if (typeof id !== 'string' || id.length > 255) wrong.push(`${where}: block_id`)
      else if (ids.has(id)) wrong.push(`${where}: block_id ${id} stands twice`)
      else ids.add(id)
    }
    const actions = new Set<string>()
    switch (type) {
      case 'section': {
        const fields = block['fields'] === undefined ? undefined : list(block['fields'])
        if (block['text'] === undefined && !fields) wrong.push(`${where}: neither text nor fields`)
        if (block['text'] !== undefined) text(block['text'], `${where}.text`, 3000)
        if (fields && (fields.length < 1 || fields.length > 10)) wrong.push(`${where}: ${fields.length} fields`)
        fields?.forEach((each, n) => text(each, `${where}.fields[${n}]`, 2000))
        break
      }
      case 'header':
        text(block['text'], `${where}.text`, 150, plain)
        break
      case 'context': {
        const elements = list(block['elements'])
        if (elements.length < 1 || elements.length > 10) wrong.push(`${where}: ${elements.length} elements`)
        elements.forEach((each, n) => text(each, `${where}.elements[${n}]`, 3000))
        break
      }
      case 'actions': {
        const elements = list(block['elements'])
        if (elements.length < 1 || elements.length > 25) wrong.push(`${where}: ${elements.length} elements`)
        elements.forEach((each, n) => element(each, `${where}.elements[${n}]`, actions))
        break
      }
      case 'input':
        text(block['label'], `${where}.label`, 2000, plain)
        if (block['hint'] !== undefined) text(block['hint'], `${where}.hint`, 2000, plain)
        element(part(block['element']), `${where}.element`, actions)
        break
      case 'rich_text':
        list(block['elements']).forEach((each, n) => {
          if (
            !['rich_text_section', 'rich_text_preformatted', 'rich_text_list', 'rich_text_quote'].includes(
              String(each['type']),
            )
          )
            wrong.push(`${where}.elements[${n}]: ${String(each['type'])}`)
          list(each['elements']).forEach((inner, m) => {
            if (inner['type'] !== 'text' || typeof inner['text'] !== 'string' || inner['text'].length === 0)
              wrong.push(`${where}.elements[${n}].elements[${m}]: no text`)
            else if (inner['text'].length > 4000)
              wrong.push(`${where}.elements[${n}].elements[${m}]: ${inner['text'].length} characters`)
          })
        })
        break
      default:
    }
  })
  return wrong
}

export function checkView(view: unknown): string[] {
  const one = part(view)
  const wrong: string[] = []
  const type = one['type']
  if (type !== 'modal' && type !== 'home') return [`a view of type ${String(type)}`]
  if (JSON.stringify(view).length > 250_000) wrong.push('the view is larger than 250 kB')
  if (type === 'modal') {
    for (const key of ['title', 'submit', 'close'] as const) {
      const value = one[key]
      if (value === undefined && key !== 'title') continue
      const words = part(value)
      if (
        words['type'] !== 'plain_text' ||
        typeof words['text'] !== 'string' ||
        words['text'].length < 1 ||
        words['text'].length > 24
      )
        wrong.push(`view.${key}`)
    }
    if (one['submit'] === undefined && list(one['blocks']).some((block) => block['type'] === 'input'))
      wrong.push('an input and no submit')
  }
  if (typeof one['private_metadata'] === 'string' && one['private_metadata'].length > 3000)
    wrong.push('private_metadata')
  if (typeof one['callback_id'] === 'string' && one['callback_id'].length > 255) wrong.push('callback_id')
  return [...wrong, ...checkBlocks(one['blocks'], type)]
}

/** Everything in a message that Slack would read as markup: where text of others must not be. */
export function interpreted(message: { text?: unknown; blocks?: unknown }): string[] {
  const found: string[] = []
  if (typeof message.text === 'string') found.push(message.text)
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk)
    else if (typeof value === 'object' && value !== null) {
      const one = value as Part
      if (one['type'] === 'mrkdwn' && typeof one['text'] === 'string') found.push(one['text'])
      Object.values(one).forEach(walk)
    }
  }
  walk(message.blocks)
  return found
}
