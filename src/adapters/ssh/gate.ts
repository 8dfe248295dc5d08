/** A place among those who have not logged in yet. */
export type Place = { leave(): void }

/**
 * Bounds the connections that have not logged in, in all and from one address. When there are more, the oldest of the
 * address that has most gives way, so that whoever comes now has time to log in, even from the address of a flood.
 */
export function createGate(limits: { all: number; perAddress: number }) {
  const waiting = new Map<string, Set<() => void>>()
  let count = 0

  function drop(address: string): void {
    const oldest = waiting.get(address)?.values().next().value
    if (!oldest) return
    forget(address, oldest)
    oldest()
  }

  function forget(address: string, one: () => void): void {
    const mine = waiting.get(address)
    if (!mine?.delete(one)) return
    count--
    if (mine.size === 0) waiting.delete(address)
  }

  return {
    /** `giveWay` is called when this one has waited longest while too many came. */
    enter(address: string, giveWay: () => void): Place {
      const mine = waiting.get(address) ?? new Set()
      waiting.set(address, mine.add(giveWay))
      count++
      if (mine.size > limits.perAddress) drop(address)
      else if (count > limits.all) {
        const [largest] = [...waiting].reduce((most, one) => (one[1].size > most[1].size ? one : most))
        drop(largest)
      }
      return { leave: () => forget(address, giveWay) }
    },
    waiting: () => count,
  }
}

/**
 * Says how long a refusal takes, in milliseconds: always the same for those who rarely fail, so that nothing can be read
 * from it, and longer for an address that fails again and again.
 */
export function createPatience(now: () => number = () => performance.now()) {
  const failures = new Map<string, { count: number; until: number }>()
  return (address: string): number => {
    for (const [key, one] of failures) if (one.until < now()) failures.delete(key)
    const mine = failures.get(address) ?? { count: 0, until: 0 }
    mine.count++
    mine.until = now() + 60_000
    failures.set(address, mine)
    return Math.min(2000, 100 * 2 ** Math.floor(mine.count / 50))
  }
}
