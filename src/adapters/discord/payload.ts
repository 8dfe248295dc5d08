/**
 * An interaction as Discord sends it, over the gateway and by HTTP alike; only what is looked at («Receiving and
 * Responding» of its documentation). Nothing of it is taken for granted.
 */
export type Payload = {
  id: string
  application_id: string
  type: number
  token: string
  guild_id?: string
  channel_id?: string
  /** 0 a server, 1 the bot's direct messages, 2 other people's. */
  context?: number
  /** Who added the app: "0" a server, or "0" itself for its direct messages; "1" a person. */
  authorizing_integration_owners?: Record<string, string>
  member?: { user?: User }
  user?: User
  message?: { components?: { components?: { custom_id?: string; label?: string }[] }[] }
  data?: {
    name?: string
    custom_id?: string
    values?: string[]
    options?: Option[]
    resolved?: {
      users?: Record<string, User>
      attachments?: Record<string, { filename?: string; size?: number; url?: string }>
    }
    components?: { component?: { custom_id?: string }; components?: { custom_id?: string }[] }[]
  }
}
export type User = { id: string; username?: string; global_name?: string | null; bot?: boolean; system?: boolean }
export type Option = {
  name: string
  type: number
  value?: string | number | boolean
  focused?: boolean
  options?: Option[]
}

/** A message as the gateway tells of it. */
export type Message = {
  id: string
  type?: number
  channel_id: string
  guild_id?: string
  author: User
  content: string
  webhook_id?: string
  mentions?: User[]
}

export const kinds = { ping: 1, command: 2, component: 3, autocomplete: 4, form: 5 }

const snowflake = /^\d{2,24}$/

/** @returns undefined for what is no interaction */
export function readPayload(value: unknown): Payload | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const one = value as Payload
  const good =
    snowflake.test(one.id) &&
    typeof one.token === 'string' &&
    typeof one.type === 'number' &&
    snowflake.test(one.application_id)
  return good ? one : undefined
}

/** The words of a command and the options of its innermost one. */
export function pathOf(data: Payload['data']): { words: string[]; options: Option[] } {
  const words = [data?.name ?? '']
  let options = data?.options ?? []
  for (let depth = 0; depth < 2 && (options[0]?.type === 1 || options[0]?.type === 2); depth++) {
    words.push(options[0].name)
    options = options[0].options ?? []
  }
  return { words, options }
}
