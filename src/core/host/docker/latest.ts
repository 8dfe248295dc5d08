/**
 * One call at a time: what is asked while one is under way waits, and of several that wait only the last is made. So the last
 * that was asked is the last that arrives.
 * @returns what resolves once that has been made, and rejects when it fails
 */
export function latest<A extends unknown[]>(call: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  let next: A | undefined
  let running: Promise<void> | undefined
  const run = async () => {
    try {
      while (next) {
        const args = next
        next = undefined
        await call(...args).catch((error: unknown) => {
          if (!next) throw error
        })
      }
    } finally {
      running = undefined
    }
  }
  return (...args) => {
    next = args
    return (running ??= run())
  }
}
