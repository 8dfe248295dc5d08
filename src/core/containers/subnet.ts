/** Arithmetic on IPv4 subnets, for choosing one that nothing else uses. */
type Range = { first: number; last: number }

function toNumber(address: string): number | undefined {
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return undefined
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

const toAddress = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

/** Reads `10.0.0.0/8`. @returns undefined when it is not an IPv4 subnet */
export function parseSubnet(cidr: string): Range | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(cidr)
  const address = match && toNumber(match[1]!)
  const bits = Number(match?.[2])
  if (address === undefined || address === null || !(bits >= 0 && bits <= 32)) return undefined
  const size = 2 ** (32 - bits)
  const first = Math.floor(address / size) * size
  return { first, last: first + size - 1 }
}

/** The first /26 of `pool` that overlaps none of `avoid`; undefined when the pool is used up. */
export function chooseSubnet(pool: string, avoid: readonly string[]): string | undefined {
  const range = parseSubnet(pool)
  if (!range) return undefined
  const taken = avoid
    .map(parseSubnet)
    .filter((one) => one !== undefined)
    .toSorted((a, b) => a.first - b.first)
  for (let first = range.first; first + 63 <= range.last; first += 64) {
    const clash = taken.find((one) => one.first <= first + 63 && one.last >= first)
    if (!clash) return `${toAddress(first)}/26`
    // A large neighbour is stepped over at once.
    first = Math.max(first, Math.floor(clash.last / 64) * 64)
  }
  return undefined
}
