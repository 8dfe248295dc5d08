import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inside, isInside, parseEgress } from '../../../src/core/host/docker/egress.ts'
import { chains, mergeChain, patchChain } from '../../../src/core/host/docker/firewall.ts'

describe('DCM_EGRESS_ALLOW', () => {
  test.each([
    ['apt', { kind: 'apt' }],
    ['10.1.2.3', { kind: 'network', to: '10.1.2.3/32', port: undefined }],
    ['10.1.2.3/16:8080', { kind: 'network', to: '10.1.0.0/16', port: 8080 }],
    ['192.168.255.255/9', { kind: 'network', to: '192.128.0.0/9', port: undefined }],
    ['Mirror.example.org:443', { kind: 'name', name: 'mirror.example.org', port: 443 }],
    ['localhost', { kind: 'name', name: 'localhost', port: undefined }],
  ])('%s is read', (text, entry) => {
    expect(parseEgress(text)).toEqual(entry)
  })

  test.each([
    '',
    '0.0.0.0/0',
    '10.0.0.0/33',
    '10.0.0',
    '10.0.0.300',
    'a b',
    '-j ACCEPT',
    'name/8',
    'a:0',
    'a:65536',
    'a:80:90',
    '::1',
    'a..b',
    '-a',
    'a;b',
    '$(x)',
  ])('%j is refused', (text) => {
    expect(parseEgress(text)).toBeUndefined()
  })

  test('what is inside is what the rules close', () => {
    for (const address of [
      '10.0.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '127.0.0.1',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
    ])
      expect(isInside(address)).toBe(true)
    for (const address of ['1.1.1.1', '172.32.0.1', '100.128.0.1', '11.0.0.1', 'fe80::1', 'x'])
      expect(isInside(address)).toBe(false)
  })
})

describe('the chains', () => {
  const allowed = [{ to: '10.0.0.53/32', proto: 'udp' as const, port: 53 }, { to: '10.2.0.0/16' }]
  const first = '-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN'

  test('let answers and what is allowed pass, then close what is inside, and the host altogether', () => {
    const { forward, input } = chains('abc', allowed, 20_000)
    const own = [
      '-d 10.0.0.53/32 -p udp -m udp --dport 53 -m comment --comment dcm-abc-20000 -j RETURN',
      '-d 10.2.0.0/16 -m comment --comment dcm-abc-20000 -j RETURN',
    ]
    const apart = ['-o dcm+ -m physdev --physdev-is-bridged -j RETURN', '-o dcm+ -j DROP']
    expect(forward).toEqual([...apart, first, ...own, ...inside.map((network) => `-d ${network} -j DROP`)])
    expect(input).toEqual([first, ...own, '-j DROP'])
  })

  test('are what scripts/firewall.rules sets before Docker starts', () => {
    const { forward, input } = chains('abc', [], 0)
    const lines = readFileSync(join(import.meta.dirname, '../../../scripts/firewall.rules'), 'utf8').split('\n')
    const content = (chain: string) =>
      lines.filter((line) => line.startsWith(`-A ${chain} `)).map((line) => line.slice(`-A ${chain} `.length))
    expect(content('DCM-FWD')).toEqual(forward)
    expect(content('DCM-IN')).toEqual(input)
    expect(lines).toContain('-A FORWARD -i dcm+ -j DCM-FWD')
    expect(lines).toContain('-A INPUT -i dcm+ -j DCM-IN')
  })

  test("keep another living instance's allowances, and nothing else that is found", () => {
    const { forward, input } = chains('abc', allowed, 20_000)
    const living = '-d 10.9.9.9/32 -m comment --comment dcm-other-19995 -j RETURN'
    const present = [
      first,
      living,
      '-d 10.9.9.8/32 -m comment --comment dcm-dead-19000 -j RETURN',
      '-d 10.9.9.7/32 -m comment --comment dcm-abc-19999 -j RETURN',
      '-j ACCEPT',
      '-m comment --comment dcm-evil-20000 -j ACCEPT',
      '-j DROP',
    ]
    expect(mergeChain(input, present, 'abc', 20_000)).toEqual([first, living, ...input.slice(1)])
    expect(mergeChain(forward, present, 'abc', 20_000)).toEqual([...forward.slice(0, 3), living, ...forward.slice(3)])
    for (const chain of [forward, input]) expect(mergeChain(chain, chain, 'abc', 20_000)).toEqual(chain)
  })

  test('where all that closes is right, only what is let through is exchanged', () => {
    const { forward } = chains('abc', allowed, 20_000)
    const living = '-d 10.9.9.9/32 -m comment --comment dcm-other-19995 -j RETURN'
    const dead = '-d 10.9.9.8/32 -m comment --comment dcm-dead-19000 -j RETURN'
    const yesterdays = '-d 10.2.0.0/16 -m comment --comment "dcm-abc-19999" -j RETURN'
    const present = [...forward.slice(0, 3), living, dead, yesterdays, ...forward.slice(3, 4), ...forward.slice(5)]
    expect(patchChain(forward, present, 'abc', 20_000)).toEqual({
      ...{ drop: [dead, yesterdays], add: [forward[4]], at: 4 },
    })
    expect(patchChain(forward, forward, 'abc', 20_000)).toMatchObject({ drop: [], add: [] })
    for (const wrong of [present.slice(1), present.slice(0, -1), [...present, '-j ACCEPT'], ['-j RETURN', ...present]])
      expect(patchChain(forward, wrong, 'abc', 20_000)).toBeUndefined()
  })
})
