/** One line of the table: what was compared, both sides, and the ratio or bound that is aimed at. */
export type Row = { what: string; dcm: string; other: string; ratio: string; aim: string }

/** The middle of a list of numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/**
 * Measures two things in turn, so that a machine that is slower for a while is so for both.
 * @returns the medians in milliseconds, and the median of the ratios of each pair
 */
export async function pairs(count: number, ours: () => Promise<number>, theirs: () => Promise<number>) {
  const [mine, other, ratios]: [number[], number[], number[]] = [[], [], []]
  for (let at = 0; at < count; at++) {
    const [a, b] =
      at % 2 === 0 ? [await ours(), await theirs()] : await theirs().then(async (late) => [await ours(), late] as const)
    mine.push(a)
    other.push(b)
    ratios.push(a / b)
  }
  return { ours: median(mine), theirs: median(other), ratio: median(ratios) }
}

export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
