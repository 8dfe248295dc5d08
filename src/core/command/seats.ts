/** Seats by key, `most` at a time for each. @returns undefined when all are taken, else what gives the seat back */
export function createSeats(most: number): (key: string) => (() => void) | undefined {
  const taken = new Map<string, number>()
  return (key) => {
    const held = taken.get(key) ?? 0
    if (held >= most) return undefined
    taken.set(key, held + 1)
    let given = false
    return () => {
      if (given) return
      given = true
      const left = taken.get(key)! - 1
      if (left > 0) taken.set(key, left)
      else taken.delete(key)
    }
  }
}
