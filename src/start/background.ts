/** Work that goes on after its request was answered: whoever runs DCM for one request at a time has to wait for it. */
export type Background = {
  add(work: Promise<unknown>): void
  /** Resolves when all that is under way by then, and what that adds, has ended. Never rejects. */
  idle(): Promise<void>
}

/** Keeps what is under way. */
export function createBackground(): Background {
  const going = new Set<Promise<unknown>>()
  return {
    add(work) {
      const kept = work.catch(() => undefined).finally(() => going.delete(kept))
      going.add(kept)
    },
    async idle() {
      // What an answer leaves behind begins in the turn after it.
      await new Promise((resolve) => setImmediate(resolve))
      while (going.size > 0) await Promise.all(going)
    },
  }
}
