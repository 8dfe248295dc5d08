import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ComposeLine } from '../../../src/core/command/views.ts'
import type { Person } from '../../../src/core/model/person.ts'
import { createWorld, type World } from '../door/world.ts'

const folder = join(import.meta.dirname, 'corpus')
const files = readdirSync(folder).toSorted()

/** Beside debian. All else in these files is an image that nobody has brought here. */
const offered = [
  ...['postgres:17', 'adminer', 'wordpress:6', 'mysql:8.4', 'redis:8-alpine', 'redis:alpine'],
  ...['python', 'mongo', 'mongo-express', 'whoami'],
  ...['vote', 'result', 'worker', 'postgres:15-alpine'],
]

let world: World
let alice: Person
beforeAll(async () => {
  world = await createWorld()
  alice = await world.member('alice')
  for (const name of offered) {
    const own = name.replace(/[:.]/g, '-')
    world.host.fake.addImage(`${own}:1`, { has: [], entrypoint: [`${own}-entry`], command: [own] })
    expect((await world.say(world.admin, `image offer ${own}:1 --name ${name}`)).error).toBeUndefined()
  }
  await world.say(world.admin, 'grant alice restart:unless-stopped')
})
afterAll(() => world[Symbol.asyncDispose]())

type Checked = {
  runs: boolean
  project: string | null
  services: { service: string; image: string }[]
  problems: ComposeLine[]
  notes: ComposeLine[]
}
async function check(file: string, more: Record<string, unknown> = {}): Promise<Checked> {
  const text = readFileSync(join(folder, file), 'utf8')
  const reply = await world.say(alice, { name: 'compose check', args: { file: text, ...more } })
  expect(reply.error, reply.text).toBeUndefined()
  return reply.data as Checked
}
const lines = (problems: readonly ComposeLine[]) => problems.map(({ line, column, key }) => `${line}:${column} ${key}`)

/** What is refused of each file, with its place: nothing of one that runs, on the images above and what else is said here. */
const corpus: Record<string, { refused: string[]; env?: string[]; notes?: string[] }> = {
  'adminer.yaml': { refused: ['7:5 services.db.shm_size'] },
  'cluster.yaml': { refused: [] },
  'elk.yaml': {
    refused: [
      '4:12 services.search.image',
      '6:7 services.search.environment.discovery.type',
      '8:5 services.search.ulimits',
      '15:12 services.collect.image',
      '17:9 services.collect.volumes.0',
      '21:12 services.page.image',
    ],
  },
  'flask.yaml': { refused: [], notes: ['16:5 services.redis.expose'] },
  'gitea.yaml': {
    refused: [
      '4:12 services.forge.image',
      '5:21 services.forge.container_name',
      '9:14 services.forge.restart',
      '12:9 services.forge.volumes.0',
      '13:9 services.forge.volumes.1',
      '14:9 services.forge.volumes.2',
    ],
  },
  'jupyter.yaml': {
    refused: [
      '4:12 services.notebook.image',
      '5:5 services.notebook.user',
      '8:7 services.notebook.environment.JUPYTER_TOKEN',
      '24:5 volumes.work.driver_opts',
    ],
    notes: ['14:9 services.notebook.deploy.resources.reservations'],
  },
  'lesson.yaml': { refused: ['4:12 services.web.build', '6:5 services.web.develop'] },
  'minio.yaml': {
    refused: [
      '4:12 services.store.image',
      '11:12 services.buckets.image',
      '20:9 services.app.depends_on.buckets.condition',
      '21:5 services.app.tmpfs',
    ],
  },
  'mongo.yaml': { refused: [], env: ['MONGO_PASSWORD=word'] },
  'monitoring.yaml': {
    refused: [
      '4:12 services.prometheus.image',
      '7:5 services.prometheus.configs',
      '12:12 services.node.image',
      '13:5 services.node.pid',
      '14:5 services.node.network_mode',
      '16:9 services.node.volumes.0',
      '18:12 services.grafana.image',
      '19:5 services.grafana.user',
      '22:1 configs',
    ],
  },
  'nextcloud.yaml': {
    refused: [
      '4:12 services.cloud.image',
      '6:9 services.cloud.ports.0',
      '11:5 services.cloud.links',
      '13:9 services.cloud.volumes.0',
      '15:12 services.db.image',
      '20:5 secrets.db_password.file',
    ],
  },
  'traefik.yaml': {
    refused: [
      '4:12 services.proxy.image',
      '6:5 services.proxy.privileged',
      '7:5 services.proxy.security_opt',
      '12:9 services.proxy.volumes.0',
    ],
    notes: ['14:12 services.whoami.image', '15:5 services.whoami.labels'],
  },
  'voting.yaml': { refused: [] },
  'wordpress.yaml': {
    refused: ['5:14 services.blog.restart', '17:14 services.db.restart'],
    env: ['BLOG_DB_PASSWORD=word'],
  },
}

test('every file of the corpus is here', () => expect(Object.keys(corpus)).toEqual(files))

test.each(Object.keys(corpus))('%s', async (file) => {
  const { refused, env = [], notes = [] } = corpus[file]!
  const checked = await check(file, { env, project: 'try' })
  expect(lines(checked.problems)).toEqual(refused)
  expect(lines(checked.notes)).toEqual(notes)
  expect(checked.runs).toBe(refused.length === 0)
  for (const { why } of [...checked.problems, ...checked.notes]) expect(why).toMatch(/^\S.*[.?]$/)
  const text = readFileSync(join(folder, file), 'utf8')
  const said = { name: 'compose up', args: { file: text, project: 'try', env } }
  if (refused.length > 0) {
    const { reply, asked } = await world.tell(alice, said)
    const rows = checked.problems.map((one) => [`${one.line}:${one.column}`, one.key, one.why])
    expect(reply).toMatchObject({ error: 'usage', table: { rows } })
    expect(asked.filter((method) => method !== 'engine.inside')).toEqual([])
    return
  }
  const reply = await world.say(alice, said)
  expect(reply.error, reply.text).toBeUndefined()
  expect((reply.data as { services: unknown[] }).services).toHaveLength(checked.services.length)
  expect((await world.say(alice, 'compose down try --volumes --yes')).error).toBeUndefined()
  expect(await world.host.engine.list()).toEqual([])
  expect(await world.store.networks.of(alice.id)).toEqual([])
})

test('values that are missing are told with the line that needs them', async () => {
  const { problems } = await check('mongo.yaml')
  expect(lines(problems)).toEqual([
    '4:23 services.express.environment.PASSWORD',
    '11:35 services.mongo.environment.MONGO_INITDB_ROOT_PASSWORD',
  ])
  expect(problems[0]!.why).toBe('The variable MONGO_PASSWORD has no value; give it one with -e MONGO_PASSWORD=VALUE.')
})
