/** What somebody used to Docker types and DCM has in another way: the sentence, and the line to try, of the words that follow. */
type Way = { says: string; try(rest: readonly string[]): string }

const name = /^[a-z0-9][a-z0-9._/-]{0,60}$/
const plain = (rest: readonly string[]) =>
  rest.find((word) => !word.startsWith('-') && name.test(word) && word.length < 40)
const way = (says: string, line: string | Way['try']): Way => ({
  says,
  try: typeof line === 'string' ? () => line : line,
})

const enter = (rest: readonly string[]) => {
  const container = plain(rest)
  return container ? `ssh ${container}` : 'help ssh'
}
const later = way('it gives no terminal: ssh CONTAINER shows the line that logs in, once it is there', 'help create')
const terminal = way('a terminal inside is ssh: ssh CONTAINER shows the line that logs in', enter)
const stays = way('what goes on is a container of its own, which create makes: then ssh logs in to it', 'help create')
const fresh = way('it does not follow: ask again, or tail -f in the container by ssh', (rest) => {
  const container = plain(rest)
  return container ? `logs ${container}` : 'help logs'
})
const all = way('it lists all that you have in any state, so leave it out', 'ps')
const data = way('for programs there is --json', 'ps --json')
const shape = way('for programs there is --json, which has all of it', 'help ps')
const named = way('the name comes first: create web --image debian', 'help create')
const file = (command: string) =>
  way(`the file itself comes: dcm ${command} @compose.yaml, or - on standard input`, `${command} -`)
const beside = way('it never waits for what runs, so leave it out', 'help compose up')
const whole = way('a program inside is root of its container; su or sudo there makes it another', 'help exec')

/** Flags of Docker's commands, by the name that the command has here. Docker docs, "docker" CLI reference. */
const flags: Record<string, Record<string, Way>> = {
  exec: {
    ...{ i: terminal, t: terminal, interactive: terminal, tty: terminal },
    ...{ u: whole, user: whole },
    ...{ d: stays, detach: stays },
  },
  run: {
    ...{ i: stays, t: stays, interactive: stays, tty: stays, d: stays, detach: stays },
    rm: way('it always removes its container, so leave it out', 'help run'),
    ...{ p: stays, publish: stays },
  },
  create: {
    ...{ i: later, t: later, interactive: later, tty: later },
    ...{ d: way('it always goes on by itself, so leave it out', 'help create'), name: named },
    rm: way('--ttl says when it is removed', 'help create'),
  },
  'compose up': {
    ...{ f: file('compose up'), file: file('compose up') },
    ...{ d: beside, detach: beside },
  },
  'compose check': { f: file('compose check'), file: file('compose check') },
  logs: { f: fresh, follow: fresh },
  ps: { ...{ a: all, all }, ...{ q: data, quiet: data }, ...{ f: shape, filter: shape, format: shape } },
  images: { ...{ a: all, all }, q: way('for programs there is --json', 'images --json'), format: shape },
  inspect: { f: shape, format: shape },
}

/** Docker's commands that have another name here, or are not had. */
const verbs: Record<string, Way> = {
  attach: terminal,
  history: way('what is known of an image tells image show', (rest) => `image show ${plain(rest) ?? 'IMAGE'}`),
  save: way('an image goes to a registry with push, and a container into a tar with export', 'help push'),
  load: way('an image comes from a registry with pull, or from a Dockerfile with build', 'help pull'),
  import: way('an image comes from a registry with pull, or from a Dockerfile with build', 'help pull'),
  container: way('here the verb comes first: ps, inspect, rm', 'help container'),
  system: way('df tells what you use, and prune removes what nothing needs', 'df'),
  search: way('images lists what you can create from, and pull brings another', 'images'),
  login: way('registry login keeps what logs in to a registry', 'help registry login'),
  logout: way('registry logout forgets what logs in to a registry', 'help registry logout'),
  version: way('whoami tells who you are here, and doctor tells admins what runs', 'whoami'),
  info: way('df and quota show tell what there is for you', 'quota show'),
}

/** What is said, and the line to try. */
export type Told = { says: string; try: string }

const told = (table: Record<string, Way> | undefined, key: string, rest: readonly string[]): Told | undefined => {
  const found = table && Object.hasOwn(table, key) ? table[key] : undefined
  return found && { says: found.says, try: found.try(rest) }
}

/** What to say of a flag that a command has not, where Docker's has it. @param rest the words after the command's name */
export const dockerFlag = (command: string, flag: string, rest: readonly string[]): Told | undefined =>
  flag === 'y'
    ? { says: 'write --yes to be asked nothing', try: `help ${command}` }
    : told(Object.hasOwn(flags, command) ? flags[command] : undefined, flag, rest)

/** What to say of a command that there is not, where Docker has it. */
export const dockerVerb = (verb: string, rest: readonly string[]): Told | undefined => told(verbs, verb, rest)

/** For who checks that none of it is had after all. */
export const reflexes = { flags, verbs }
