/** Docker's units, read and written: sizes (`512m`, `1g`), CPUs (`1.5`) and durations (`30m`, `7d`). */

const sizeUnits = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const
const durationUnits = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 } as const

/** How a size is written; the HTTP API's document says it in the same words. */
export const sizeForm = /^(\d{1,16}(?:\.\d{1,3})?)(?:([kmgtKMGT])(?:[iI]?[bB])?|[bB])?$/

/**
 * Reads a size as Docker writes it; `GiB` and `GB` are `g`, as in its own flags.
 * @returns bytes, or undefined when the text is not a size (`0x10`, `1e3`, `-1` and spaces are not).
 */
export function parseSize(text: string): number | undefined {
  const match = sizeForm.exec(text)
  if (!match) return undefined
  const unit = (match[2]?.toLowerCase() ?? 'b') as keyof typeof sizeUnits
  const bytes = Math.round(Number(match[1]) * sizeUnits[unit])
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Writes bytes in the largest unit that keeps at most one decimal: `512m`, `1.5g`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0'
  const unit = (['t', 'g', 'm', 'k'] as const).find((name) => Math.abs(bytes) >= sizeUnits[name])
  if (!unit) return `${Math.round(bytes)}b`
  return `${Number((bytes / sizeUnits[unit]).toFixed(1))}${unit}`
}

/** Writes bytes in the largest unit that divides them: nothing is rounded. */
export function exactSize(bytes: number): string {
  if (bytes === 0) return '0'
  const unit = (['t', 'g', 'm', 'k', 'b'] as const).find((name) => bytes % sizeUnits[name] === 0)!
  return `${bytes / sizeUnits[unit]}${unit}`
}

/** Writes bytes with at most one decimal and never more than there are. */
export function floorSize(bytes: number): string {
  const unit = (['t', 'g', 'm', 'k'] as const).find((name) => bytes >= sizeUnits[name])
  return unit ? `${Math.floor((bytes / sizeUnits[unit]) * 10) / 10}${unit}` : `${Math.floor(bytes)}b`
}

/** Thousandths of a CPU as words: `1 CPU`, `0.5 CPUs`. */
export const nameCpus = (cpus: number): string => `${formatCpus(cpus)} CPU${cpus === 1000 ? '' : 's'}`

/**
 * Reads a number of CPUs, as `docker run --cpus` takes it.
 * @returns thousandths of a CPU, or undefined when the text is not such a number.
 */
export function parseCpus(text: string): number | undefined {
  if (!/^\d{1,4}(\.\d{1,3})?$/.test(text)) return undefined
  return Math.round(Number(text) * 1000)
}

/** Writes thousandths of a CPU as `--cpus` reads them: `1500` is `1.5`. */
export const formatCpus = (milli: number): string => String(milli / 1000)

/**
 * Reads a duration: one or more of `30s`, `15m`, `4h`, `7d`, `2w`, largest first or not.
 * @returns milliseconds, or undefined when the text is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,6}[smhdw])+$/i.test(text)) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/gi))
    total += Number(count) * durationUnits[unit!.toLowerCase() as keyof typeof durationUnits]
  return total > 0 && total <= 100 * 365 * durationUnits.d ? total : undefined
}

/** Writes milliseconds with its two largest units: `7d`, `4h30m`, `12s`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1000)) * 1000
  const parts: string[] = []
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / durationUnits[unit])
    if (count > 0 && parts.length < 2) parts.push(`${count}${unit}`)
    else if (parts.length > 0) break
    rest -= count * durationUnits[unit]
  }
  return parts.join('') || '0s'
}
