/** What a typed command line asks of the client itself, and the words that go to the service. */
export type Options = {
  words: string[]
  json: boolean
  output: string | undefined
  /** The answer is wanted after a time of the line's own, whether the outcome is known by then or not. */
  bounded?: boolean
  ask: 'run' | 'version' | 'complete' | 'completion' | 'operation'
}

/** Commands that may answer with a file, which -o names; of any other it is no flag. */
const givesFile = new Set(['cp', 'export'])

/** Reads the client's own options; after `--` there are none. @throws Error with a sentence for the caller */
export function readOptions(argv: readonly string[]): Options {
  const first = argv[0]
  const own = (ask: Options['ask']): Options => ({ words: argv.slice(1), json: false, output: undefined, ask })
  if (first === '--version' || first === '-V') return own('version')
  if (first === '__complete') return own('complete')
  if (first === 'completion') return own('completion')

  const end = argv.indexOf('--')
  const mine = end < 0 ? argv : argv.slice(0, end)
  const rest = end < 0 ? [] : argv.slice(end)
  if (mine.length === 0) return { words: ['help'], json: false, output: undefined, ask: 'run' }
  const words: string[] = []
  let output: string | undefined
  const file = givesFile.has(mine.find((word) => !word.startsWith('-')) ?? '')
  for (let at = 0; at < mine.length; at++) {
    if (file && mine[at] === '-o') {
      output = mine[++at]
      if (output === undefined) throw new Error('-o needs the name of a file to write to.')
    } else if (mine[at] !== '--json') words.push(mine[at]!)
  }
  const ask = words[0] === 'operations' && words.length === 2 ? 'operation' : 'run'
  return {
    words: [...words, ...rest],
    json: mine.includes('--json'),
    output,
    ask,
    bounded: mine.some((word) => /^--wait(?:=|$)/.test(word)),
  }
}
