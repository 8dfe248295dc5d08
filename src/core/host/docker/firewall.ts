import { existsSync } from 'node:fs'
import { type Allowed, inside } from './egress.ts'
import { run } from './program.ts'

/** Bridges that DCM named; never `br-+` or `docker0`, which are others'. */
const bridges = 'dcm+'
const wait = ['-w', '10']
const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN'

const allowRule = (allowed: Allowed, comment: string): string =>
  [
    `-d ${allowed.to}`,
    allowed.proto === undefined ? '' : `-p ${allowed.proto} -m ${allowed.proto} --dport ${allowed.port}`,
    `-m comment --comment ${comment} -j RETURN`,
  ]
    .filter((part) => part !== '')
    .join(' ')

/** Rules of an instance that has not renewed them for so many days are taken for left over. */
const keptDays = 7
const mostForeign = 256

/**
 * The two chains as `iptables -S` writes them: what leaves for somewhere inside, and what asks the host itself. `day`
 * counts from 1970; an instance's own rules carry its id and the day they were last set.
 */
export function chains(
  instance: string,
  allowed: readonly Allowed[],
  day: number,
): { forward: string[]; input: string[] } {
  const own = allowed.map((item) => allowRule(item, `dcm-${instance}-${day}`))
  return {
    forward: [established, ...own, ...inside.map((network) => `-d ${network} -j DROP`)],
    input: [established, ...own, '-j DROP'],
  }
}

/**
 * A chain's content from what it should hold and what it holds: what another instance on this machine lets through
 * stays, unless that instance is long gone; all else is as it should be.
 */
export function mergeChain(
  wanted: readonly string[],
  present: readonly string[],
  instance: string,
  day: number,
): string[] {
  const foreign = present.filter((rule) => {
    const comment = /--comment "?dcm-([a-z0-9]+)-(\d{1,6})"? -j RETURN$/.exec(rule)
    return comment !== null && comment[1] !== instance && Number(comment[2]) >= day - keptDays
  })
  return [wanted[0]!, ...foreign.slice(-mostForeign), ...wanted.slice(1)]
}

type Table = 'iptables' | 'ip6tables'

const rulesOf = async (table: Table, chain: string): Promise<string[] | undefined> => {
  const ran = await run(table, [...wait, '-S', chain])
  if (!ran.ok) return undefined
  const head = `-A ${chain} `
  return ran.stdout
    .split('\n')
    .filter((line) => line.startsWith(head))
    .map((line) => line.slice(head.length))
}

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((rule, at) => rule.replaceAll('"', '') === other[at]!.replaceAll('"', ''))

/** A rule that lets packets of these bridges by before ours is asked. */
const letsBy = (rule: string): boolean => rule.endsWith('-j ACCEPT') && !/(^| )-[iso] | --ctstate |! -/.test(rule)

/**
 * DCM's rules on the host: from its bridges, neither the host nor what stands beside it can be reached, except name
 * servers and what the site allows. Docker keeps members' bridges apart itself (DOCKER-ISOLATION); what would go round
 * that, its proxy for published ports, listens on the host and is closed with it.
 */
export function createFirewall(instance: string, allowed: () => Promise<Allowed[]>, now: () => number) {
  const today = () => Math.floor(now() / 86_400_000)

  /** The place that Docker leaves for others' rules, or where it would be asked from. Docker docs, "Packet filtering and firewalls". */
  const forwardHook = async () => ((await rulesOf('iptables', 'DOCKER-USER')) === undefined ? 'FORWARD' : 'DOCKER-USER')

  const hooks = async (): Promise<{ table: Table; chain: string; rule: string }[]> => [
    { table: 'iptables', chain: 'INPUT', rule: `-i ${bridges} -j DCM-IN` },
    // What stays on one bridge passes here too where br_netfilter is on, and is a member's own.
    { table: 'iptables', chain: await forwardHook(), rule: `-i ${bridges} ! -o ${bridges} -j DCM-FWD` },
    ...(speaksIpv6() ? [{ table: 'ip6tables' as const, chain: 'INPUT', rule: `-i ${bridges} -j DCM-IN` }] : []),
  ]

  const hooked = async (hook: { table: Table; chain: string; rule: string }): Promise<boolean> => {
    const rules = await rulesOf(hook.table, hook.chain)
    if (rules === undefined) return false
    const at = rules.findIndex((rule) => same([rule], [hook.rule]))
    return at >= 0 && !rules.slice(0, at).some(letsBy)
  }

  const wanted = async () => {
    const { forward, input } = chains(instance, await allowed(), today())
    return [
      { table: 'iptables' as const, chain: 'DCM-FWD', rules: forward },
      { table: 'iptables' as const, chain: 'DCM-IN', rules: input },
      ...(speaksIpv6() ? [{ table: 'ip6tables' as const, chain: 'DCM-IN', rules: ['-j DROP'] }] : []),
    ]
  }

  const able = async (): Promise<string | undefined> => {
    if (process.getuid?.() !== 0)
      return 'DCM does not run as root, so it sets no firewall rules: containers can reach the host and its network.'
    const ran = await run('iptables', ['--version'])
    if (!ran.ok)
      return 'There is no iptables on this machine, so containers can reach the host and its network: install iptables.'
    return undefined
  }

  const check = async (): Promise<string[]> => {
    const unable = await able()
    if (unable !== undefined) return [unable]
    const missing: string[] = []
    for (const { table, chain, rules } of await wanted()) {
      const present = await rulesOf(table, chain)
      if (present === undefined) missing.push(`The ${table} chain ${chain} is missing.`)
      else if (!same(present, table === 'iptables' ? mergeChain(rules, present, instance, today()) : rules))
        missing.push(`The ${table} chain ${chain} is not as DCM set it.`)
    }
    for (const hook of await hooks())
      if (!(await hooked(hook))) missing.push(`The ${hook.table} chain ${hook.chain} does not lead to DCM's rules.`)
    return missing
  }

  const ensure = async (): Promise<string[]> => {
    const unable = await able()
    if (unable !== undefined) return [unable]
    const trouble: string[] = []
    for (const { table, chain, rules } of await wanted()) {
      const present = await rulesOf(table, chain)
      const full = table === 'iptables' ? mergeChain(rules, present ?? [], instance, today()) : rules
      if (present !== undefined && same(present, full)) continue
      // One transaction, so that there is no moment in which the chain is empty. iptables-restore(8), --noflush
      const input = ['*filter', `:${chain} - [0:0]`, ...full.map((rule) => `-A ${chain} ${rule}`), 'COMMIT', ''].join(
        '\n',
      )
      const ran = await run(`${table}-restore`, [...wait, '--noflush'], { input })
      if (!ran.ok)
        trouble.push(`The ${table} chain ${chain} could not be set (${ran.stderr.trim().split('\n')[0] ?? ran.code}).`)
    }
    for (const hook of await hooks()) {
      if (await hooked(hook)) continue
      const words = hook.rule.split(' ')
      if ((await run(hook.table, [...wait, '-C', hook.chain, ...words])).ok)
        await run(hook.table, [...wait, '-D', hook.chain, ...words])
      const ran = await run(hook.table, [...wait, '-I', hook.chain, '1', ...words])
      if (!ran.ok)
        trouble.push(
          `The ${hook.table} chain ${hook.chain} could not be led to DCM's rules (${ran.stderr.trim().split('\n')[0] ?? ran.code}).`,
        )
    }
    return trouble
  }

  return { check, ensure }
}

/** A kernel without IPv6 has no packets to drop. */
const speaksIpv6 = (): boolean => existsSync('/proc/net/if_inet6')
