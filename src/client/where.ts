import { join } from 'node:path'

/** Where the service is: its socket on this machine, or a URL with a token. */
export type Where = { socket: string } | { url: URL; token: string }

/** The folder of the service's data: the rule that the service itself goes by. */
export function dataFolder(env: NodeJS.ProcessEnv, root: boolean): string {
  if (env.DCM_DATA_DIR) return env.DCM_DATA_DIR
  if (root) return '/var/lib/dcm'
  return join(env.XDG_DATA_HOME || join(env.HOME ?? '/', '.local/share'), 'dcm')
}

/** Reads from the environment which service is meant. @throws Error with a sentence for the caller */
export function readWhere(env: NodeJS.ProcessEnv, root: boolean): Where {
  if (!env.DCM_URL) return { socket: join(dataFolder(env, root), 'dcm.sock') }
  if (!URL.canParse(env.DCM_URL) || !/^https?:$/.test(new URL(env.DCM_URL).protocol))
    throw new Error('DCM_URL is not an http:// or https:// address.')
  if (!env.DCM_TOKEN)
    throw new Error('DCM_URL is set and DCM_TOKEN is not; make a token with "dcm token new" where DCM runs.')
  const url = new URL(env.DCM_URL)
  if (url.username || url.password) throw new Error('DCM_URL may not hold a password; put the token into DCM_TOKEN.')
  url.pathname = url.pathname.replace(/\/$/, '')
  return { url, token: env.DCM_TOKEN }
}
