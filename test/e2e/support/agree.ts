import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Row } from 'postgres'
import { queries } from '../../setup/postgres.ts'
import type { Dcm } from './dcm.ts'
import { lookAt } from './engine.ts'

const sorted = (list: Iterable<string>) => [...list].toSorted()
const names = async (folder: string) =>
  sorted((await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.')))

const expected = `select c.*, p.name as owner, (
    select coalesce(json_agg(json_build_object('inside', container_port || '/' || proto, 'outside', host_port::text) order by container_port, proto), '[]')
    from ports where container_id = c.id and reach is null) as ports
  from containers c join people p on p.id = c.owner_id order by c.id`

/** The containers that are to hand on the ports that were added. */
const forwarded = (instance: string) =>
  `select 'dcm-${instance}-port-' || proto || '-' || host_port as name from ports where reach is not null`

/** What the database counts of each member and host, beside what is there to be counted. */
const counted = `select p.name, row(u.containers, u.running, u.memory, u.cpus, u.pids, u.images, u.ports)::text as kept, row(
    (select count(*) from containers where owner_id = p.id),
    (select count(*) from containers where owner_id = p.id and desired in ('running', 'paused')),
    (select coalesce(sum(memory), 0) from containers where owner_id = p.id and desired in ('running', 'paused')),
    (select coalesce(sum(cpus), 0) from containers where owner_id = p.id and desired in ('running', 'paused')),
    (select coalesce(sum(pids), 0) from containers where owner_id = p.id and desired in ('running', 'paused')),
    (select count(*) from images where owner_id = p.id),
    (select count(*) from ports where owner_id = p.id and purpose = 'public'))::text as there
  from people p join usage u on u.owner_id = p.id
  union all select h.id, row(h.memory_used, h.cpus_used)::text, row(
    (select coalesce(sum(memory), 0) from containers where host_id = h.id and desired in ('running', 'paused')),
    (select coalesce(sum(cpus), 0) from containers where host_id = h.id and desired in ('running', 'paused')))::text
  from hosts h`

/** One look at engine, disk and database. Equal halves agree. */
async function compare(dcm: Dcm, others: readonly Dcm[]): Promise<{ engine: Row; database: Row }> {
  const url = dcm.databaseUrl
  if (!url) throw new Error('agree() reads the database itself, and can read PostgreSQL only.')
  const [view, [rows, forwards, networks, images, counts, open, people]] = await Promise.all([
    lookAt(dcm.engine, dcm.instance()),
    queries(url, [
      expected,
      forwarded(dcm.instance()),
      'select name from networks order by name',
      'select engine_ref from images',
      counted,
      `select kind, subject, status from operations where status in ('open', 'undoing')`,
      'select id, name from people',
    ]) as Promise<[Row[], Row[], Row[], Row[], Row[], Row[], Row[]]>,
  ])
  const folders = [dcm, ...others].map((one) => one.dataDir)
  const runs = sorted((await Promise.all(folders.map((folder) => names(join(folder, 'run'))))).flat())
  const trash = (await Promise.all(folders.map((folder) => names(join(folder, 'trash'))))).flat()
  const mounted = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => folders.some((folder) => path.startsWith(join(folder, 'storage'))))
  const wanted = (row: Row) => (row.state === 'missing' ? [] : [row])
  return {
    engine: {
      containers: view.containers
        .map((one) => ({
          name: one.Name.slice(1),
          id: one.Id,
          state: one.State.Status,
          ports: Object.entries(one.HostConfig.PortBindings ?? {})
            .map(([inside, outside]) => ({ inside, outside: outside.map((to) => to.HostPort).join() }))
            .toSorted(
              (a, b) => Number.parseInt(a.inside) - Number.parseInt(b.inside) || (a.inside < b.inside ? -1 : 1),
            ),
        }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      forwarders: sorted(view.forwarders.map((one) => `${one.name} ${one.state}`)),
      networks: sorted(view.networks.map((one) => one.name)),
      tags: sorted(view.tags),
      runs,
      trash,
      usage: counts.map((row) => `${row.name} ${row.there}`).toSorted(),
      open: [],
      wants: rows.flatMap(wanted).map((row) => `${row.owner}/${row.name} ${row.state}`),
      mounts: mounted.filter((path) => people.some((row) => path.includes(row.id))),
    },
    database: {
      containers: rows
        .flatMap(wanted)
        .map((row) => ({ name: row.engine_name, id: row.engine_id, state: row.state, ports: row.ports })),
      forwarders: sorted(forwards.map((row) => `${row.name} running`)),
      networks: networks.map((row) => row.name),
      tags: sorted(images.map((row) => row.engine_ref)),
      runs: rows.map((row) => row.id),
      trash: [],
      usage: counts.map((row) => `${row.name} ${row.kept}`).toSorted(),
      open,
      wants: rows.flatMap(wanted).map((row) => `${row.owner}/${row.name} ${row.desired}`),
      mounts: mounted,
    },
  }
}

/**
 * Asserts that engine, disk and database say the same: containers with their states and ports, forwarders, networks, image tags,
 * run folders, storages, counts of quotas, and nothing under way. What takes a moment to be seen gets that moment.
 * `others` are further processes on the same database.
 */
export async function agree(
  dcm: Dcm,
  { seconds = 60, others = [] }: { seconds?: number; others?: readonly Dcm[] } = {},
): Promise<void> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const { engine, database } = await compare(dcm, others)
    if (performance.now() > end) return expect(engine).toEqual(database)
    try {
      expect(engine).toEqual(database)
      return
    } catch {
      await sleep(200)
    }
  }
}
