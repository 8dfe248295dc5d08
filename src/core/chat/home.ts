import type { Door } from '../door/door.ts'
import type { Actor } from '../model/person.ts'
import type { Action, Reply } from '../reply/reply.ts'
import { decisions } from './cards.ts'

/** What a member sees of theirs on one page; what could not be had is said in its place. */
export type Home = {
  text: string
  containers: { name: string; status: string; actions: Action[] }[]
  more: number
  quota: { name: string; used: string; limit: string; share: number }[]
  requests: { text: string; actions: Action[] }[]
  /** The command whose form makes a new container. */
  create: string
}

const most = 12

type Row = { name: string; state: string; image: string; ssh: string | null }

function actionsOf({ name, state }: Row): Action[] {
  if (state === 'running')
    return [
      { label: 'SSH line', line: `ssh ${name}` },
      { label: 'Log', line: `logs ${name}` },
      { label: 'Stop', line: `stop ${name}` },
    ]
  if (state === 'paused')
    return [
      { label: 'Unpause', line: `unpause ${name}` },
      { label: 'Stop', line: `stop ${name}` },
    ]
  return [
    { label: 'Start', line: `start ${name}` },
    { label: 'Remove', line: `rm ${name} --yes`, danger: true },
  ]
}

/** Gathers the page through the door, with the member's own rights. @returns undefined for somebody whom DCM does not know */
export async function homeOf(door: Door, actor: Actor): Promise<{ home: Home } | { reply: Reply }> {
  const ask = (name: string) => door.handle({ actor, input: { name, args: {} } }, { wait: 5000 })
  const ps = await ask('ps')
  if (ps.error) return { reply: ps }
  const [quota, requests] = await Promise.all([ask('quota show'), ask('requests')])
  const rows = (ps.data as Row[] | undefined) ?? []
  const states = new Map((ps.table?.rows ?? []).map((row) => [row[0]!, row[2] ?? '']))
  const shares = (quota.data as { resource: string; used: number; limit: number }[] | undefined) ?? []
  const admin = actor.person?.role === 'admin'
  const open = (
    (requests.data as { id: string; who: string; thing: string; state: string; why: string }[] | undefined) ?? []
  ).filter((one) => one.state === 'open')
  return {
    home: {
      text: ps.text,
      containers: rows.slice(0, most).map((row) => ({
        name: row.name,
        status: `${states.get(row.name) ?? row.state} · ${row.image}`,
        actions: actionsOf(row),
      })),
      more: Math.max(0, rows.length - most),
      quota: (quota.table?.rows ?? []).map((row, at) => ({
        name: row[0] ?? '',
        used: row[1] ?? '',
        limit: row[2] ?? '',
        share: shareOf(shares[at]),
      })),
      requests: open.slice(0, 5).map((one) => ({
        text: `${one.who}: ${one.thing}${one.why ? `, ${one.why}` : ''}`,
        actions: admin && one.who !== actor.person?.name ? decisions(one) : [],
      })),
      create: 'create',
    },
  }
}

const shareOf = (row: { used: number; limit: number } | undefined): number =>
  !row || row.limit <= 0 ? 0 : Math.min(1, row.used / row.limit)
