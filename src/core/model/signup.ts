/** Who may become a member by themselves: nobody, whoever an admin approves, or everyone of one workspace or guild. */
export type Signup = { mode: 'off' } | { mode: 'request' } | { mode: 'open'; platform: string; scope: string }

/** Reads `off`, `request` or `open:slack:T1`. */
export function parseSignup(text: string): Signup | undefined {
  if (text === 'off' || text === 'request') return { mode: text }
  const match = /^open:(slack|discord):([A-Za-z0-9]{1,24})$/.exec(text)
  return match ? { mode: 'open', platform: match[1]!, scope: match[2]! } : undefined
}

/** Where cards for admins go: a channel, or to each of them when there is none. */
export type AdminChannel = { platform: string; scope: string; channel: string }

/** Reads `slack:T1/C1`. */
export function parseChannel(text: string): AdminChannel | undefined {
  const match = /^(slack|discord):([A-Za-z0-9]{1,24})\/([A-Za-z0-9]{2,24})$/.exec(text)
  return match ? { platform: match[1]!, scope: match[2]!, channel: match[3]! } : undefined
}
