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
  const begun = performance.now()
  for (;;) {
    const found = await look()
    if (found) return found as Seen<T>
    const waited = performance.now() - begun
    if (waited > seconds * 1000) throw new Error(`Waited ${seconds} s for ${what.toString()}.`)
    // A look may cost as much as what is waited for: the longer that takes, the less it hurts to be late.
    await sleep(Math.min(Math.max(2, waited / 4), 500))
  }
}
