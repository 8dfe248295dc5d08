import type { Command } from '../../../src/core/command/define.ts'
import type { KindName } from '../../../src/core/command/kinds.ts'
import { publicKey } from './world.ts'

/** Something right for each kind of argument, as a member alice who has a container web and an image web:v1 would give it. Every kind is here, or this does not compile. */
export const right: Record<KindName, string | boolean> = {
  container: 'web',
  image: 'debian',
  'own-image': 'web:v1',
  'offered-image': 'debian',
  person: 'alice',
  group: 'chemists',
  text: 'word',
  prose: 'word',
  line: publicKey(),
  cron: '0 20 * * *',
  document: '{}',
  'container-name': 'other',
  'person-name': 'carol',
  'group-name': 'bakers',
  account: 'slack:T1/U0000001',
  'image-ref': 'other:v1',
  'engine-ref': 'debian:bookworm',
  remote: 'registry.test/team/web:v1',
  registry: 'registry.test',
  count: '1',
  size: '64m',
  cpus: '1',
  duration: '1h',
  when: '1h',
  choice: 'memory',
  flag: true,
  port: '80',
  name: 'more',
  volume: 'data',
  network: 'back',
  mount: 'data:/data',
  env: 'A=b',
  cap: 'NET_RAW',
  restart: 'no',
  signal: 'HUP',
  grant: 'restart-policy',
  amount: 'memory=1g',
  id: 'x',
  command: 'ps',
  argv: 'true',
  place: 'web:/srv',
}

/** What is needed where one of several has to be given, or a word of a form of its own. */
const oneOf: Record<string, Record<string, unknown>> = {
  build: { dockerfile: 'FROM debian' },
  update: { memory: '64m' },
  extend: { time: '1h' },
  cp: { target: '-' },
  'compose up': { file: 'name: shop\nservices: { web: { image: debian } }' },
}

/** What a command needs at least, by name, as JSON. */
export function required(command: Command): Record<string, unknown> {
  const args: Record<string, unknown> = {}
  for (const [name, arg] of Object.entries(command.args)) {
    if (arg.rest) args[name] = ['true']
    if (arg.optional || arg.default !== undefined || arg.kind === 'flag' || arg.rest) continue
    const value = arg.of?.[0] ?? right[arg.kind]
    args[name] = arg.each || arg.many ? [value] : value
  }
  return { ...args, ...oneOf[command.name] }
}
