import { setTimeout as sleep } from 'node:timers/promises'

type Seen<T> = Exclude<T, false | null | undefined>
type Look<T> = () => T | Promise<T>

/**
 * Looks again and again until there is something to see, for as long as a machine under load may need.
 * @param what in words, for the one who reads of it in vain; the code itself when it says enough
 * @param seconds when to give up
 */
export async function until<T>(what: string | Look<T>, ...[told, seconds = 60]: [Look<T>?, number?]): Promise<Seen<T>> {
  const look = typeof what === 'string' ? told! : what
  const end = performance.now() + seconds * 1000
  for (let pause = 2; ; pause = Math.min(2 * pause, 25)) {
    const found = await look()
    if (found) return found as Seen<T>
    if (performance.now() > end) throw new Error(`Waited ${seconds} s for ${what.toString()}.`)
    await sleep(pause)
  }
}
