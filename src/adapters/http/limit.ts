/** How much is let through: a steady rate, and how much of it may come at once. */
export type Rate = { perSecond: number; burst: number }

const most = 10_000

/** Token buckets by key, in memory: they fill at the rate, up to the burst, and each request takes one. */
export function createBuckets(rate: Rate, now: () => number = () => performance.now() / 1000) {
  const buckets = new Map<string, { left: number; at: number }>()
  const filled = (bucket: { left: number; at: number }, at: number) =>
    Math.min(rate.burst, bucket.left + (at - bucket.at) * rate.perSecond)

  /** Forgets buckets that are full again; when a flood of keys leaves none such, the oldest. */
  function prune(at: number) {
    for (const [key, bucket] of buckets) if (filled(bucket, at) >= rate.burst) buckets.delete(key)
    for (const key of buckets.keys()) {
      if (buckets.size < most) return
      buckets.delete(key)
    }
  }

  return {
    /** @returns 0 when the request may go on, else the seconds after which one may */
    take: (key: string): number => {
      const at = now()
      const bucket = buckets.get(key)
      if (!bucket) {
        if (buckets.size >= most) prune(at)
        buckets.set(key, { left: rate.burst - 1, at })
        return 0
      }
      bucket.left = filled(bucket, at)
      bucket.at = at
      if (bucket.left < 1) return Math.max(1, Math.ceil((1 - bucket.left) / rate.perSecond))
      bucket.left -= 1
      return 0
    },
  }
}

/** What counts as one address: IPv4 itself; of IPv6 the /64 that one customer is given (RFC 6177), or they would have 2^64 of them. */
export function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped) return mapped[1]!
  if (!address.includes(':')) return address
  const [head, tail] = address.split('::') as [string, string | undefined]
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  while (tail !== undefined && groups.length + after.length < 8) groups.push('0')
  return `${[...groups, ...after].slice(0, 4).join(':').toLowerCase()}::/64`
}

/**
 * Whose request this is: the connection's address or, behind a trusted proxy, the last one in X-Forwarded-For, which is
 * what that proxy itself wrote; all before it is the caller's own claim.
 */
export function callerAddress(connection: string | undefined, forwarded: string | null, trustProxy: boolean): string {
  const last = trustProxy ? forwarded?.split(',').at(-1)?.trim() : undefined
  return last && /^[0-9a-f.:]{2,45}$/i.test(last) ? last : (connection ?? 'unknown')
}
