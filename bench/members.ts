import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Dcm } from '../test/e2e/support/dcm.ts'
import type { Member } from '../test/e2e/support/member.ts'
import { createClient, must } from './engine.ts'
import { median, ms, type Row, timed } from './measure.ts'
import { resident } from './start.ts'

const exec = promisify(execFile)

/** The firewall's rules on this machine: those that DCM and the engine have made. */
async function firewallRules(): Promise<number> {
  const all = await Promise.all(
    ['filter', 'nat'].map((table) => exec('iptables', ['-w', '-t', table, '-S']).then(({ stdout }) => stdout)),
  )
  return all.join('').split('\n').length
}

/** Many members, each with a network, a storage and a container that runs: what the last of them wait for, beside the first. */
export async function benchMembers(dcm: Dcm, count: number, say: (line: string) => void): Promise<Row[]> {
  say(`  ${count} members`)
  const before = await firewallRules()
  const added: number[] = []
  const creates: number[] = []
  const members: Member[] = []
  for (let at = 0; at < count; at++) {
    if (at % 50 === 49) say(`  ${at + 1} of them`)
    let member: Member | undefined
    added.push(await timed(async () => void (member = await dcm.member(`m${at}`))))
    members.push(member!)
    creates.push(await timed(() => member!.must('create web --image debian -m 32m --cpus 1 --pids-limit 64')))
  }
  const some = members.filter((_, at) => at % Math.ceil(count / 20) === 0)
  for (const member of some) {
    const { stdout } = await member.ssh('web', 'echo in')
    if (stdout !== 'in\n') throw new Error(`${member.name} cannot log in.`)
  }
  const lists: number[] = []
  for (const { token } of some) {
    const api = createClient({ socketPath: dcm.socket }, { authorization: `Bearer ${token}` })
    for (let tries = 0; tries < 10; tries++) lists.push(await timed(() => must(api, 'GET', '/v1/ps')))
    api.close()
  }
  const memory = await resident(dcm.pid())
  const rules = (await firewallRules()) - before
  const stopped = await dcm.stop()
  if (stopped !== 0) throw new Error(`DCM ended with ${stopped}.`)
  const again = await timed(() => dcm.restart())
  const row = (what: string, ours: string, other = '', ratio = ''): Row => ({ what, dcm: ours, other, ratio, aim: '' })
  const [first, last] = [median(creates.slice(1, 11)), median(creates.slice(-10))]
  return [
    row(
      `create, for the last ten of ${count} members`,
      ms(last),
      `${ms(first)} (for the first ten)`,
      (last / first).toFixed(2),
    ),
    row('user add, with key and token, of all of them', ms(median(added))),
    row(`ps, while ${count} members have a container that runs`, `${median(lists).toFixed(2)} ms`),
    row(`rules of the firewall for ${count} members, DCM's and the engine's`, String(rules)),
    row(`resident memory then, PostgreSQL`, `${memory} MB`),
    row(`started again, all ${count} containers looked at and in order`, ms(again)),
  ]
}
