import { HostError } from '../fault.ts'
import { tidy } from './fault.ts'
import { object } from './read.ts'
import { deadlines } from './wire.ts'
import { jsonLines } from './stream.ts'

/** Reads what the engine says of a build or an import, to its end. @throws HostError `refused` with its reason */
export async function readProgress(
  response: Parameters<typeof jsonLines>[0],
  say: (line: string) => void,
): Promise<void> {
  let rest = ''
  for await (const value of jsonLines(response, deadlines.buildIdle, 'build')) {
    const item = object(value, 'build')
    if (typeof item.error === 'string') throw new HostError('refused', `The build failed: ${tidy(item.error)}.`)
    if (typeof item.stream !== 'string') continue
    const lines = (rest + item.stream).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') say(line.replace(/[\p{Cc}]+/gu, ' ').slice(0, 2000))
  }
  if (rest.trim() !== '') say(rest.slice(0, 2000))
}
