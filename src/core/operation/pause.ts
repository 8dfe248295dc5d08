/** Waits for so many milliseconds, or until one of the signals is aborted; it never rejects. */
export const pause = (ms: number, ...signals: (AbortSignal | undefined)[]): Promise<undefined> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      for (const signal of signals) signal?.removeEventListener('abort', done)
      resolve(undefined)
    }
    const timer = setTimeout(done, ms)
    for (const signal of signals) {
      if (signal?.aborted) done()
      else signal?.addEventListener('abort', done)
    }
  })
