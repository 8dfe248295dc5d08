import type { ContainerWish, SeenImage } from '../engine.ts'
import { HostError } from '../fault.ts'

const usualPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * Variables by which an image could change what DCM's own entry program does before the member's command runs. They
 * can only be blanked, not removed: the engine merges an image's environment by name. The docker-init of every engine
 * is tini, which passes a stop signal on to the whole process group when its variable is set (its README, "Process group killing").
 */
const dangerous = /^(?:LD_.*|BASH_ENV|BASH_FUNC_.*|ENV|SHELLOPTS|BASHOPTS|PS4|IFS|CDPATH|GLIBC_TUNABLES)$/

/** Variables that DCM itself sets: the container's name, what the init needs, and sshd's SetEnv for the entry program. */
export const ownEnv = ['DCM', 'TINI_KILL_PROCESS_GROUP', 'DCM_SETENV'] as const

/** Names that DCM and the engine's init keep to themselves. */
export const reservedEnv = (name: string): boolean => /^(DCM|DCM_.*|TINI_.*)$/i.test(name)

/** The variables of a container: the image's that can do no harm, those of the wish over them, and DCM's own. @throws HostError `refused` */
export function environment(wish: ContainerWish, image: SeenImage): string[] {
  const given = new Map<string, string>()
  for (const entry of wish.env) {
    const at = entry.indexOf('=')
    const name = entry.slice(0, at)
    if (at < 1 || !/^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/.test(name) || entry.includes('\0') || entry.length > 128 * 1024)
      throw new HostError('refused', 'An environment variable has to be NAME=value.')
    if (!reservedEnv(name)) given.set(name, entry.slice(at + 1))
  }
  const brought = new Map(
    image.env
      .filter((entry) => entry.indexOf('=') > 0)
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
  const result = new Map<string, string>()
  for (const name of brought.keys()) if (reservedEnv(name) || dangerous.test(name)) result.set(name, '')
  // An image's own PATH is what its programs need; without the usual folders in it neither sshd nor a shell is found.
  const ownPath = (brought.get('PATH') ?? '').split(':').filter((folder) => /^\/[^\0\n]*$/.test(folder))
  result.set('PATH', [...new Set([...ownPath, ...usualPath])].join(':'))
  for (const [name, value] of given) result.set(name, value)
  const sessions = new Map([...brought, ...given])
  for (const name of sessions.keys())
    if (reservedEnv(name) || (!given.has(name) && (result.get(name) === '' || name === 'PATH'))) sessions.delete(name)
  const [container, init, login] = ownEnv
  result.set(container, wish.name)
  result.set(init, '1')
  // In the environment and not in the arguments, which every user inside could read.
  if (wish.ssh) result.set(login, setEnv([...sessions].map(([name, value]) => `${name}=${value}`)))
  return [...result].map(([name, value]) => `${name}=${value}`)
}

/**
 * One `SetEnv` line for sshd, whose sessions would else not see what `-e` set. Values with control characters cannot be
 * written in it and stay with the command alone. sshd_config(5), SetEnv; quoting by OpenSSH's argv_split.
 */
export function setEnv(entries: readonly string[]): string {
  const fit = entries.filter((entry) => !/[\p{Cc}]/u.test(entry) && entry.length <= 4096)
  const words: string[] = []
  let size = 0
  for (const entry of fit) {
    const word = `"${entry.replace(/["\\]/g, '\\$&')}"`
    if ((size += word.length + 1) > 32 * 1024) break
    words.push(word)
  }
  return words.length > 0 ? `SetEnv ${words.join(' ')}` : ''
}
