import { existsSync } from 'node:fs'
import { type Allowed, inside } from './egress.ts'
import { run } from './program.ts'

/** Bridges that DCM named; never `br-+` or `docker0`, which are others'. */
const bridges = 'dcm+'
const wait = ['-w', '10']

/**
 * Answers to who asked a container; what it has begun itself is looked at anew with each packet, so that nothing stays open
 * that began while a rule was missing.
 */
const answers = '-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN'

/**
 * What stays on one bridge passes iptables too where br_netfilter is on, and is a member's own; from one bridge to another
 * there is no way. iptables-extensions(8), physdev
 */
const apart = [`-o ${bridges} -m physdev --physdev-is-bridged -j RETURN`, `-o ${bridges} -j DROP`]

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
    forward: [...apart, answers, ...own, ...inside.map((network) => `-d ${network} -j DROP`)],
    input: [answers, ...own, '-j DROP'],
  }
}

/** Which instance lets something through by this rule, and when it last said so; undefined of every other rule. */
function setBy(rule: string): { instance: string; day: number } | undefined {
  const [, instance, day] = /--comment "?dcm-([a-z0-9]+)-(\d{1,6})"? -j RETURN$/.exec(rule) ?? []
  return instance === undefined ? undefined : { instance, day: Number(day) }
}

/** Some versions put a name into quotes, or two spaces before an option. */
const bare = (rule: string): string => rule.replaceAll('"', '').replaceAll(/ +/g, ' ')

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((rule, at) => bare(rule) === bare(other[at]!))

const closing = (rules: readonly string[]) => rules.filter((rule) => setBy(rule) === undefined)

/**
 * What has to be taken out of a chain and put into it where all that closes is as it should be: so that of two instances
 * which set theirs in the same moment neither takes out the other's.
 * @returns undefined where it has to be written anew; else the rules, and the number that the first new one gets
 */
export function patchChain(
  wanted: readonly string[],
  present: readonly string[],
  instance: string,
  day: number,
): { drop: string[]; add: string[]; at: number } | undefined {
  if (!same(closing(present), closing(wanted))) return undefined
  const has = (rules: readonly string[], rule: string) => rules.some((one) => bare(one) === bare(rule))
  const drop = present.filter((rule) => {
    const by = setBy(rule)
    return by && (by.instance === instance ? !has(wanted, rule) : by.day < day - keptDays)
  })
  const add = wanted.filter((rule) => setBy(rule) && !has(present, rule))
  return { drop, add, at: present.findIndex((rule) => bare(rule) === bare(answers)) + 2 }
}

/** Whether nothing has to be exchanged. */
const isWhole = (patch: ReturnType<typeof patchChain>): boolean =>
  patch !== undefined && patch.add.length === 0 && patch.drop.length === 0

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
    const by = setBy(rule)
    return by !== undefined && by.instance !== instance && by.day >= day - keptDays
  })
  const after = wanted.indexOf(answers) + 1
  return [...wanted.slice(0, after), ...foreign.slice(-mostForeign), ...wanted.slice(after)]
}

type Chain = { program: 'iptables' | 'ip6tables'; table: 'filter' | 'mangle'; chain: string }

const nameOf = ({ program, table, chain }: Chain): string =>
  `${program} chain ${chain}${table === 'filter' ? '' : ` of the table ${table}`}`

const rulesOf = async ({ program, table, chain }: Chain): Promise<string[] | undefined> => {
  const ran = await run(program, [...wait, '-t', table, '-S', chain])
  if (!ran.ok) return undefined
  const head = `-A ${chain} `
  return ran.stdout
    .split('\n')
    .filter((line) => line.startsWith(head))
    .map((line) => line.slice(head.length))
}

/** A rule that lets packets of these bridges by before ours is asked. */
const letsBy = (rule: string): boolean => rule.endsWith('-j ACCEPT') && !/(^| )-[iso] | --ctstate |! -/.test(rule)

/**
 * DCM's rules on the host: from a member's bridge no other member's can be reached, nor the host, nor what stands beside
 * it, except name servers and what the site allows. What is forwarded is decided on in the table mangle: in the table
 * filter Docker takes the ways to its own chains and to DOCKER-USER out for a moment whenever it makes a network
 * (libnetwork, EnsureJumpRule). Docker's proxy for published ports listens on the host, and is closed with it.
 */
export function createFirewall(instance: string, allowed: (atOnce: boolean) => Promise<Allowed[]>, now: () => number) {
  const today = () => Math.floor(now() / 86_400_000)
  const ipv6 = speaksIpv6()
  const input = { table: 'filter', chain: 'DCM-IN' } as const

  const hooks: readonly (Chain & { rule: string })[] = [
    { program: 'iptables', table: 'filter', chain: 'INPUT', rule: `-i ${bridges} -j DCM-IN` },
    { program: 'iptables', table: 'mangle', chain: 'FORWARD', rule: `-i ${bridges} -j DCM-FWD` },
    ...(ipv6
      ? [{ program: 'ip6tables', table: 'filter', chain: 'INPUT', rule: `-i ${bridges} -j DCM-IN` } as const]
      : []),
  ]

  const hooked = async (hook: Chain & { rule: string }): Promise<boolean> => {
    const rules = await rulesOf(hook)
    if (rules === undefined) return false
    const at = rules.findIndex((rule) => same([rule], [hook.rule]))
    return at >= 0 && !rules.slice(0, at).some(letsBy)
  }

  const wanted = async (atOnce = false): Promise<(Chain & { rules: string[] })[]> => {
    const held = chains(instance, await allowed(atOnce), today())
    return [
      { program: 'iptables', table: 'mangle', chain: 'DCM-FWD', rules: held.forward },
      { program: 'iptables', ...input, rules: held.input },
      ...(ipv6 ? [{ program: 'ip6tables' as const, ...input, rules: ['-j DROP'] }] : []),
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
    for (const chain of await wanted()) {
      const present = await rulesOf(chain)
      if (present === undefined) missing.push(`The ${nameOf(chain)} is missing.`)
      else {
        if (!isWhole(patchChain(chain.rules, present, instance, today())))
          missing.push(`The ${nameOf(chain)} is not as DCM set it.`)
      }
    }
    for (const hook of hooks)
      if (!(await hooked(hook))) missing.push(`The ${nameOf(hook)} does not lead to DCM's rules.`)
    return missing
  }

  const ensure = async (atOnce = false): Promise<string[]> => {
    // Each is a program that is run, and a start waits for all of them.
    const [unable, items, places] = await Promise.all([
      able(),
      wanted(atOnce).then((all) => Promise.all(all.map(async (item) => ({ item, present: await rulesOf(item) })))),
      Promise.all(hooks.map(async (hook) => ({ hook, holds: await hooked(hook) }))),
    ])
    if (unable !== undefined) return [unable]
    const trouble: string[] = []
    for (const { item, present } of items) {
      const { program, table, chain } = item
      const patch = present && patchChain(item.rules, present, instance, today())
      // What an earlier life let through is not taken away by one that has not asked yet.
      if (isWhole(patch) || (patch && atOnce)) continue
      // One transaction, so that there is no moment in which the chain is empty. iptables-restore(8), --noflush
      const restore = (lines: readonly string[]) =>
        run(`${program}-restore`, [...wait, '--noflush'], { input: [`*${table}`, ...lines, 'COMMIT', ''].join('\n') })
      const anew = (rules: readonly string[]) =>
        restore([`:${chain} - [0:0]`, ...rules.map((rule) => `-A ${chain} ${rule}`)])
      const patched = patch && [
        ...patch.drop.map((rule) => `-D ${chain} ${rule}`),
        ...patch.add.map((rule) => `-I ${chain} ${patch.at} ${rule}`),
      ]
      const rules = mergeChain(item.rules, present ?? [], instance, today())
      const ran = await (patched ? restore(patched) : anew(rules))
      if (ran.ok) continue
      trouble.push(`The ${nameOf(item)} could not be set (${ran.stderr.trim().split('\n')[0] ?? ran.code}).`)
      // A kernel may have no physdev: Docker alone keeps bridges apart then, and the rest holds.
      if (!patched) await anew(rules.filter((rule) => !apart.includes(rule)))
    }
    for (const { hook, holds } of places) {
      if (holds) continue
      const { program, table, chain } = hook
      const at = (...words: string[]) => run(program, [...wait, '-t', table, ...words])
      const ran = await at('-I', chain, '1', ...hook.rule.split(' '))
      if (!ran.ok)
        trouble.push(
          `The ${nameOf(hook)} could not be led to DCM's rules (${ran.stderr.trim().split('\n')[0] ?? ran.code}).`,
        )
      // One that stands too far down goes last, so that there is always one.
      const old = ((await rulesOf(hook)) ?? []).findLastIndex((rule) => same([rule], [hook.rule]))
      if (old > 0) await at('-D', chain, String(old + 1))
    }
    return trouble
  }

  return { check, ensure }
}

/** A kernel without IPv6 has no packets to drop. */
const speaksIpv6 = (): boolean => existsSync('/proc/net/if_inet6')
