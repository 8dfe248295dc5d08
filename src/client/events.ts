/** One server-sent event (HTML standard, section 9.2), as far as DCM sends them: a name and one line of data. */
export type ServerEvent = { event: string; data: unknown }

const most = 8 * 1024 * 1024

/** Reads server-sent events as they come. Comments, which only keep the connection, are left out. */
export async function* readEvents(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      const event = /^event: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) as unknown }
    }
    if (text.length > most) throw new Error('DCM sent more than can be read at once.')
  }
}
