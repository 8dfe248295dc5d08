import type { ServerChannel } from 'ssh2'
import type { Opened } from '../../core/door/open.ts'
import type { Sink } from './sink.ts'

/**
 * Ties an SSH channel to what was opened in a container, both ways and at the slower one's pace, until that has ended.
 * On a terminal (`raw`) the end of the client's input means nothing, as with sshd.
 * @returns its exit code; null where there is none
 */
export async function pour(
  channel: ServerChannel,
  sink: Sink,
  opened: Opened,
  raw: boolean,
  signal: AbortSignal,
): Promise<number | null> {
  const { input } = opened
  let ended = false
  const hangUp = () => {
    if (!ended) opened.close()
    ended = true
  }
  signal.addEventListener('abort', hangUp, { once: true })
  if (signal.aborted) hangUp()
  // Who no longer takes input is told by the end of its output.
  input.on('error', () => channel.resume())
  channel.pipe(input, { end: !raw })
  try {
    for await (const { stream, data } of opened.output)
      if (!(await sink.put(stream, data))) {
        hangUp()
        return null
      }
    ended = true
    return await opened.status()
  } finally {
    signal.removeEventListener('abort', hangUp)
    channel.unpipe(input)
    channel.resume()
    if (ended) input.destroy()
    else hangUp()
  }
}
