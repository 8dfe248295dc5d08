/** What Discord refuses in a form, as a path and a sentence; of the pages «Message», «Component Reference», «Application Commands» and «Receiving and Responding» of its documentation. */
export type Fault = { at: string; why: string }

export type Json = Record<string, unknown>

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const size = (value: unknown): number => [...text(value)].length

function createFaults() {
  const faults: Fault[] = []
  return {
    faults,
    /** A string of so many characters; absent is fine unless `low` is above 0 and it is required. */
    length(at: string, value: unknown, low: number, high: number, required = low > 0) {
      if (value === undefined || value === null) {
        if (required) faults.push({ at, why: 'This field is required' })
      } else if (typeof value !== 'string') faults.push({ at, why: 'Must be a string' })
      else if (size(value) < low || size(value) > high)
        faults.push({ at, why: `Must be between ${low} and ${high} in length.` })
    },
    must(at: string, good: boolean, why: string) {
      if (!good) faults.push({ at, why })
    },
  }
}

/** Buttons and menus of a message: five rows of five buttons or one menu, each `custom_id` once. */
function checkRows(check: ReturnType<typeof createFaults>, rows: Json[]): void {
  const ids = new Set<string>()
  const own = (at: string, part: Json) => {
    check.length(`${at}.custom_id`, part['custom_id'], 1, 100)
    const id = text(part['custom_id'])
    check.must(`${at}.custom_id`, !ids.has(id), 'Component custom id cannot be duplicated')
    ids.add(id)
  }
  check.must('components', rows.length <= 5, 'Must be 5 or fewer in length.')
  for (const [i, row] of rows.entries()) {
    const at = `components.${i}`
    check.must(at, row['type'] === 1, 'Must be an action row.')
    const parts = list(row['components'])
    check.must(`${at}.components`, parts.length >= 1 && parts.length <= 5, 'Must be between 1 and 5 in length.')
    for (const [j, part] of parts.entries()) {
      const where = `${at}.components.${j}`
      if (part['type'] === 2) {
        check.must(`${where}.style`, [1, 2, 3, 4, 5].includes(part['style'] as number), 'Not a style of buttons.')
        check.length(`${where}.label`, part['label'], 1, 80)
        if (part['style'] === 5)
          check.must(`${where}.url`, /^(https?|discord):\/\//.test(text(part['url'])), 'Not a well formed URL.')
        else own(where, part)
      } else if (part['type'] === 3) {
        check.must(where, parts.length === 1, 'A menu stands alone in its row.')
        own(where, part)
        checkOptions(check, where, part)
      } else check.must(where, false, `No component of type ${String(part['type'])} in a message here.`)
    }
  }
}

function checkOptions(check: ReturnType<typeof createFaults>, at: string, part: Json): void {
  const options = list(part['options'])
  check.length(`${at}.placeholder`, part['placeholder'], 0, 150)
  check.must(`${at}.options`, options.length >= 1 && options.length <= 25, 'Must be between 1 and 25 in length.')
  const values = new Set<string>()
  for (const [n, option] of options.entries()) {
    check.length(`${at}.options.${n}.label`, option['label'], 1, 100)
    check.length(`${at}.options.${n}.value`, option['value'], 1, 100)
    check.length(`${at}.options.${n}.description`, option['description'], 0, 100)
    check.must(
      `${at}.options.${n}.value`,
      !values.has(text(option['value'])),
      'The specified option value is already used',
    )
    values.add(text(option['value']))
  }
}

/** A message as it is made or changed. */
export function checkMessage(body: Json, files: readonly { name: string; bytes: number }[], fresh: boolean): Fault[] {
  const check = createFaults()
  check.length('content', body['content'], 0, 2000)
  check.length('nonce', body['nonce'], 0, 25)
  const embeds = list(body['embeds'])
  check.must('embeds', embeds.length <= 10, 'Must be 10 or fewer in length.')
  let total = 0
  for (const [i, embed] of embeds.entries()) {
    const at = `embeds.${i}`
    const fields = list(embed['fields'])
    const footer = (embed['footer'] as Json | undefined)?.['text']
    check.length(`${at}.title`, embed['title'], 0, 256)
    check.length(`${at}.description`, embed['description'], 0, 4096)
    check.length(`${at}.footer.text`, footer, 0, 2048)
    check.must(`${at}.fields`, fields.length <= 25, 'Must be 25 or fewer in length.')
    total += size(embed['title']) + size(embed['description']) + size(footer)
    for (const [n, field] of fields.entries()) {
      check.length(`${at}.fields.${n}.name`, field['name'], 1, 256)
      check.length(`${at}.fields.${n}.value`, field['value'], 1, 1024)
      check.must(`${at}.fields.${n}.value`, text(field['value']).trim() !== '', 'This field is required')
      total += size(field['name']) + size(field['value'])
    }
    check.must(
      at,
      Object.keys(embed).some((key) => ['title', 'description', 'fields', 'footer'].includes(key)),
      'An embed has to say something.',
    )
  }
  check.must('embeds', total <= 6000, 'Embed size exceeds maximum size of 6000')
  checkRows(check, list(body['components']))
  check.must('files', files.length <= 10, 'Must be 10 or fewer in length.')
  check.must('files', files.reduce((sum, file) => sum + file.bytes, 0) <= 10 * 2 ** 20, 'Request entity too large')
  for (const [n, attachment] of list(body['attachments']).entries())
    check.must(
      `attachments.${n}.id`,
      !/^\d$/.test(String(attachment['id'])) || files[Number(attachment['id'])] !== undefined,
      'There is no such file in this request.',
    )
  const says = size(body['content']) > 0 || embeds.length > 0 || files.length > 0 || list(body['components']).length > 0
  check.must('content', !fresh || says, 'Cannot send an empty message')
  return check.faults
}

const commandName = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u

/** All text of a command that counts towards its 8000 characters. */
function weight(part: Json): number {
  const choices = list(part['choices']).reduce(
    (sum, choice) => sum + size(choice['name']) + size(String(choice['value'])),
    0,
  )
  return (
    size(part['name']) +
    size(part['description']) +
    choices +
    list(part['options']).reduce((sum, option) => sum + weight(option), 0)
  )
}

function checkOption(check: ReturnType<typeof createFaults>, at: string, parts: Json[], depth: number): void {
  check.must(at, parts.length <= 25, 'Must be 25 or fewer in length.')
  const names = new Set<string>()
  let optional = false
  for (const [n, part] of parts.entries()) {
    const where = `${at}.${n}`
    const type = part['type'] as number
    const name = text(part['name'])
    check.must(`${where}.name`, commandName.test(name) && name === name.toLowerCase(), 'Command name is invalid')
    check.must(`${where}.name`, !names.has(name), 'Option names must be unique')
    names.add(name)
    check.length(`${where}.description`, part['description'], 1, 100)
    check.must(`${where}.type`, type >= 1 && type <= 11, 'Not a type of options.')
    if (type === 1 || type === 2) {
      check.must(where, type === 1 ? depth < 2 : depth < 1, 'Subcommands do not nest that deep.')
      check.must(
        at,
        parts.every((other) => other['type'] === 1 || other['type'] === 2),
        'Sub-command and sub-command group option types are mutually exclusive to all other types',
      )
      checkOption(check, `${where}.options`, list(part['options']), type === 2 ? 1 : 2)
      continue
    }
    check.must(
      where,
      !(part['required'] === true && optional),
      'Required options must be placed before non-required options',
    )
    if (part['required'] !== true) optional = true
    const choices = list(part['choices'])
    check.must(`${where}.choices`, choices.length <= 25, 'Must be 25 or fewer in length.')
    for (const [c, choice] of choices.entries()) {
      check.length(`${where}.choices.${c}.name`, choice['name'], 1, 100)
      check.length(`${where}.choices.${c}.value`, String(choice['value']), 1, 100)
    }
    check.must(
      where,
      !(part['autocomplete'] === true && choices.length > 0),
      'Autocomplete and choices are mutually exclusive',
    )
    check.must(where, part['autocomplete'] !== true || [3, 4, 10].includes(type), 'This type has no autocomplete.')
    check.must(
      `${where}.max_length`,
      part['max_length'] === undefined ||
        ((part['max_length'] as number) >= 1 && (part['max_length'] as number) <= 6000),
      'Must be between 1 and 6000.',
    )
  }
}

/** A whole set of commands, as it is put at once. */
export function checkCommands(commands: Json[]): Fault[] {
  const check = createFaults()
  check.must(
    'commands',
    commands.filter((one) => (one['type'] ?? 1) === 1).length <= 100,
    'Maximum number of application commands reached (100).',
  )
  const names = new Set<string>()
  for (const [n, one] of commands.entries()) {
    const name = text(one['name'])
    check.must(`${n}.name`, commandName.test(name) && name === name.toLowerCase(), 'Command name is invalid')
    check.must(`${n}.name`, !names.has(name), 'Application command names must be unique')
    names.add(name)
    check.length(`${n}.description`, one['description'], 1, 100)
    check.must(`${n}`, weight(one) <= 8000, 'Command exceeds maximum size (8000)')
    checkOption(check, `${n}.options`, list(one['options']), 0)
  }
  return check.faults
}

/** A form that is shown to somebody. */
export function checkModal(data: Json): Fault[] {
  const check = createFaults()
  check.length('title', data['title'], 1, 45)
  check.length('custom_id', data['custom_id'], 1, 100)
  const labels = list(data['components'])
  check.must('components', labels.length >= 1 && labels.length <= 5, 'Must be between 1 and 5 in length.')
  const ids = new Set<string>()
  for (const [n, label] of labels.entries()) {
    const at = `components.${n}`
    const part = (label['component'] ?? {}) as Json
    check.must(`${at}.type`, label['type'] === 18, 'Must be a label.')
    check.length(`${at}.label`, label['label'], 1, 45)
    check.length(`${at}.description`, label['description'], 0, 100)
    check.length(`${at}.component.custom_id`, part['custom_id'], 1, 100)
    check.must(
      `${at}.component.custom_id`,
      !ids.has(text(part['custom_id'])),
      'Component custom id cannot be duplicated',
    )
    ids.add(text(part['custom_id']))
    if (part['type'] === 3) checkOptions(check, `${at}.component`, part)
    else if (part['type'] === 4) {
      check.must(`${at}.component.style`, part['style'] === 1 || part['style'] === 2, 'Not a style of inputs.')
      check.must(`${at}.component.label`, part['label'] === undefined, 'A label stands around it already.')
      check.length(`${at}.component.value`, part['value'], 0, 4000)
      check.length(`${at}.component.placeholder`, part['placeholder'], 0, 100)
      const high = (part['max_length'] as number | undefined) ?? 4000
      check.must(`${at}.component.max_length`, high >= 1 && high <= 4000, 'Must be between 1 and 4000.')
    } else check.must(`${at}.component.type`, false, 'No such component in a form here.')
  }
  return check.faults
}

/** What autocomplete offers. */
export function checkChoices(data: Json): Fault[] {
  const check = createFaults()
  const choices = list(data['choices'])
  check.must('choices', Array.isArray(data['choices']) && choices.length <= 25, 'Must be 25 or fewer in length.')
  for (const [n, choice] of choices.entries()) {
    check.length(`choices.${n}.name`, choice['name'], 1, 100)
    check.length(`choices.${n}.value`, String(choice['value']), 1, 100)
  }
  return check.faults
}

/** How Discord words it: code 50035 with the errors nested by path. */
export function formError(faults: Fault[]): Json {
  const errors: Json = {}
  for (const { at, why } of faults) {
    let into = errors
    for (const key of at.split('.')) into = (into[key] ??= {}) as Json
    into['_errors'] = [{ code: 'BASE_TYPE_BAD', message: why }]
  }
  return { message: 'Invalid Form Body', code: 50035, errors }
}
