/** Docker's form of a seccomp profile (Docker docs: "Seccomp security profiles for Docker"), read strictly. */
type Fields = Record<string, (value: unknown) => boolean>

const text = (value: unknown) => typeof value === 'string' && /^[\w .,:;()'/+-]{0,500}$/.test(value)
const name = (value: unknown) => typeof value === 'string' && /^\w{1,60}$/.test(value)
const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const listOf = (is: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(is)
const orNull = (is: (value: unknown) => boolean) => (value: unknown) => value === null || is(value)
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const shape = (fields: Fields) => (value: unknown) =>
  isObject(value) && Object.entries(value).every(([key, held]) => Object.hasOwn(fields, key) && fields[key]!(held))

// LOG and TRACE let the call through, and NOTIFY asks a program that is not there: none of them may be the default.
const refusing = ['SCMP_ACT_ERRNO', 'SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP']
const actions = new Set<unknown>([...refusing, 'SCMP_ACT_ALLOW', 'SCMP_ACT_LOG'])
const comparisons = new Set<unknown>(
  ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((comparison) => `SCMP_CMP_${comparison}`),
)

const condition = shape({
  caps: orNull(listOf(name)),
  arches: orNull(listOf(name)),
  minKernel: (value) => typeof value === 'string' && /^\d+\.\d+$/.test(value),
})
const rule = shape({
  names: listOf(name),
  name,
  action: (value) => actions.has(value),
  errno: name,
  errnoRet: whole,
  args: orNull(listOf(shape({ index: whole, value: whole, valueTwo: whole, op: (value) => comparisons.has(value) }))),
  comment: text,
  includes: orNull(condition),
  excludes: orNull(condition),
})
const profile: Fields = {
  defaultAction: (value) => refusing.includes(value as string),
  defaultErrno: name,
  defaultErrnoRet: whole,
  architectures: listOf(name),
  archMap: listOf(shape({ architecture: name, subArchitectures: orNull(listOf(name)) })),
  syscalls: orNull(listOf(rule)),
}

/**
 * Reads a seccomp profile that an admin brings.
 * @returns it as JSON without anything that is not of the known form, or why it is refused
 */
export function readSeccomp(json: string): { json: string } | { reason: string } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { reason: 'The profile is not JSON; give it as @FILE, as Docker takes it with --security-opt seccomp=FILE.' }
  }
  if (!isObject(value)) return { reason: 'The profile is not a JSON object.' }
  if (!profile['defaultAction']!(value['defaultAction']))
    return { reason: `The profile's defaultAction has to refuse: one of ${refusing.join(', ')}.` }
  for (const [key, held] of Object.entries(value)) {
    if (!Object.hasOwn(profile, key))
      return { reason: `The profile has a member that DCM does not know: ${key.replace(/\W/g, '').slice(0, 40)}.` }
    if (!profile[key]!(held)) return { reason: `The profile's ${key} is not of the form that Docker documents.` }
  }
  return { json: JSON.stringify(value) }
}
