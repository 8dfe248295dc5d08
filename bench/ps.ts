import { sharedSocket } from '../test/setup/engine.ts'
import type { Dcm } from '../test/e2e/support/dcm.ts'
import { createClient, must } from './engine.ts'
import { ms, pairs, type Row, timed } from './measure.ts'

const label = 'dcm-bench-other'

/** `ps` of a caller with up to 20 containers, against the engine's own list with a label filter, as the engine fills. */
export async function benchPs(dcm: Dcm, say: (line: string) => void): Promise<Row[]> {
  const ada = await dcm.member('ada')
  await dcm.must('quota set ada containers=30 running=30 memory=8g cpus=30 pids=8000')
  const make = (from: number, to: number) =>
    Promise.all(
      Array.from({ length: to - from }, (_, at) =>
        ada.must(`create c${from + at} --image debian -m 32m --cpus 0.1 --pids-limit 32`),
      ),
    )
  const engine = createClient({ socketPath: sharedSocket })
  // The token decides over the local socket too, where there is no rate limit.
  const api = createClient({ socketPath: dcm.socket }, { authorization: `Bearer ${ada.token}` })
  const image = (await must<{ Id: string }[]>(engine, 'GET', '/v1.41/images/json'))[0]!.Id
  const others: string[] = []
  const rows: Row[] = []
  try {
    say('  ps: 10 containers')
    await make(0, 10)
    const owner = (
      await must<{ Labels: Record<string, string> }[]>(engine, 'GET', '/v1.41/containers/json?all=1')
    ).find((one) => one.Labels['dcm.instance'] === dcm.instance())!.Labels['dcm.owner']!
    const filter = encodeURIComponent(JSON.stringify({ label: [`dcm.owner=${owner}`] }))
    for (const total of [10, 100, 1000]) {
      if (total === 100) await make(10, 20)
      const now = (await must<unknown[]>(engine, 'GET', '/v1.41/containers/json?all=1')).length
      say(`  ps: ${total} containers`)
      for (let at = now; at < total; at += 8)
        await Promise.all(
          Array.from({ length: Math.min(8, total - at) }, async () => {
            const { Id } = await must<{ Id: string }>(createOnce(), 'POST', '/v1.41/containers/create', {
              Image: image,
              Cmd: ['true'],
              Labels: { [label]: '1' },
            })
            others.push(Id)
          }),
        )
      const ours = async () => timed(() => must(api, 'GET', '/v1/ps'))
      const theirs = async () => timed(() => must(engine, 'GET', `/v1.41/containers/json?all=1&filters=${filter}`))
      for (let at = 0; at < 50; at++) await ours()
      const result = await pairs(200, ours, theirs)
      rows.push({
        what: `ps with ${total} containers on the engine, ${total === 10 ? 10 : 20} of them the caller's`,
        dcm: ms(result.ours),
        other: `${ms(result.theirs)} (engine's list, label filter)`,
        ratio: result.ratio.toFixed(2),
        aim: total === 1000 ? 'under 0.20' : '',
      })
    }
    const load = await throughput(dcm, ada.token)
    rows.push({ what: 'ps, 16 connections at once', dcm: `${load} requests/s`, other: '', ratio: '', aim: '' })
    return rows
  } finally {
    for (let at = 0; at < others.length; at += 8)
      await Promise.all(
        others.slice(at, at + 8).map((id) => createOnce().call('DELETE', `/v1.41/containers/${id}?force=1&v=1`)),
      )
    engine.close()
    api.close()
  }
}

const createOnce = () => createClient({ socketPath: sharedSocket })

/** Requests a second over 16 keep-alive connections for five seconds. */
async function throughput(dcm: Dcm, token: string): Promise<number> {
  const until = performance.now() + 5000
  let done = 0
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const client = createClient({ socketPath: dcm.socket }, { authorization: `Bearer ${token}` })
      while (performance.now() < until) {
        const { status } = await client.call('GET', '/v1/ps')
        if (status === 200) done++
      }
      client.close()
    }),
  )
  return Math.round(done / 5)
}
