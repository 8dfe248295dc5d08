/** A chat account: `user` is the platform's stable id within `scope`, a workspace or organisation. Names are only shown. */
export type Visitor = {
  platform: string
  scope: string
  user: string
  label: string
  /** Where it is used just now, when that is not its scope: the server of a Discord account. Open sign-up goes by it. */
  within?: string
}

/** The one scope of Discord's accounts: a user's id is the same in every server and in direct messages. */
export const discordScope = 'users'

/** Writes who a chat account is, as audit rows show it and `user link` reads it: `slack:T1/U1`. */
export const formatVisitor = ({ platform, scope, user }: Pick<Visitor, 'platform' | 'scope' | 'user'>): string =>
  `${platform}:${scope}/${user}`

/** An account as typed: in full, or as a mention, whose workspace is the caller's. */
export type Account = { platform: string | null; scope: string | null; user: string; label: string }

/** Reads an account: `slack:T1/U1`, `discord:123`, or a mention as Slack (`<@U1|ada>`) and Discord (`<@123>`) write it. */
export function parseAccount(text: string): Account | undefined {
  const mention = /^<@!?([A-Z0-9]{2,24})(?:\|([^<>]{0,80}))?>$/.exec(text)
  if (mention) return { platform: null, scope: null, user: mention[1]!, label: mention[2] ?? '' }
  // Whatever server somebody writes before it: the id alone says who it is.
  const discord = /^discord:(?:[A-Za-z0-9]{1,24}\/)?(\d{2,24})$/.exec(text)
  if (discord) return { platform: 'discord', scope: discordScope, user: discord[1]!, label: '' }
  const full = /^(slack|discord):([A-Za-z0-9]{1,24})\/([A-Za-z0-9]{2,24})$/.exec(text)
  return full ? { platform: full[1]!, scope: full[2]!, user: full[3]!, label: '' } : undefined
}
