import { expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { reflexes } from '../../../src/core/command/docker.ts'
import { parseLine } from '../../../src/core/command/parse.ts'
import { DcmError } from '../../../src/core/reply/error.ts'

function refusal(line: string): DcmError {
  try {
    parseLine(commands, line)
  } catch (error) {
    if (error instanceof DcmError) return error
    throw error
  }
  throw new Error(`${line} was not refused`)
}

test.each([
  ['exec -it web bash', /^exec has no -i: .*ssh CONTAINER shows the line that logs in\.$/, 'ssh web'],
  ['exec --tty web -- bash', /^exec has no --tty: /, 'ssh web'],
  ['run -it debian bash', /^run has no -i: .*create/, 'help create'],
  ['run --rm debian -- ls', /^run has no --rm: it always removes its container, so leave it out\.$/, 'help run'],
  [
    'run -d --name web debian',
    /^create has no --name: the name comes first: create web --image debian\.$/,
    'help create',
  ],
  ['logs -f web', /^logs has no -f: it does not follow/, 'logs web'],
  [
    'compose up -f compose.yaml',
    /^compose up has no -f: the file itself comes: dcm compose up @compose/,
    'compose up -',
  ],
  ['compose check --file a.yml', /^compose check has no --file: /, 'compose check -'],
  ['compose up -d', /^compose up has no -d: it never waits for what runs, so leave it out\.$/, 'help compose up'],
  ['ps -a', /^ps has no -a: it lists all/, 'ps'],
  ['ps -q', /^ps has no -q: for programs there is --json\.$/, 'ps --json'],
  ['rmi web:v1 -y', /^rmi has no -y: write --yes/, 'help rmi'],
  ['attach web', /^There is no command attach here: .*ssh CONTAINER/, 'ssh web'],
  ['docker attach web', /^There is no command attach here/, 'ssh web'],
  ['docker ps', /^Lines begin with the command here: leave docker out\.$/, 'ps'],
  ['docker rm -f web', /leave docker out/, 'rm -f web'],
  ['docker image ls', /leave docker out/, 'image ls'],
  ['docker key add hidden', /leave docker out/, 'key add'],
  ['docker secret set web NAME hidden', /leave docker out/, 'secret set'],
  ['docker constructor', /^There is no command constructor/, 'help'],
])('%s is told the way here', (line, says, line2) => {
  const { message, try: next, code } = refusal(line)
  expect(message).toMatch(says)
  expect({ code, next }).toEqual({ code: 'usage', next: line2 })
})

test('nothing is said of what is had', () => {
  const names = commands.flatMap((command) => [command.name, ...(command.aliases ?? [])])
  expect(Object.keys(reflexes.verbs).filter((verb) => names.includes(verb))).toEqual([])
  for (const [name, flags] of Object.entries(reflexes.flags)) {
    const { args } = commands.find((command) => command.name === name)!
    const had = Object.entries(args).flatMap(([long, arg]) =>
      arg.flag || arg.kind === 'flag' ? [long, arg.short] : [],
    )
    expect(Object.keys(flags).filter((flag) => had.includes(flag))).toEqual([])
  }
})

test('each line to try can be read', () => {
  for (const table of [reflexes.verbs, ...Object.values(reflexes.flags)])
    for (const way of Object.values(table))
      for (const rest of [[], ['web']]) expect(() => parseLine(commands, way.try(rest))).not.toThrow()
})
