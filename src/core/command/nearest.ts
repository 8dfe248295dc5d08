/** Edits (insert, delete, replace, swap of neighbours) from one word to another: optimal string alignment distance. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same)
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[from.length]![to.length]!
}

/** The candidate that was probably meant, or undefined when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const typed = word.slice(0, 40).toLowerCase()
  let best: { candidate: string; edits: number } | undefined
  for (const candidate of candidates) {
    const edits = candidate.startsWith(typed) && typed.length > 1 ? 1 : distance(typed, candidate)
    if (edits <= Math.max(1, Math.floor(candidate.length / 3)) && edits < (best?.edits ?? Infinity))
      best = { candidate, edits }
  }
  return best?.candidate
}
