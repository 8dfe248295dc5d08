import type { Command } from '../../../src/core/command/define.ts'
import { type KindName, kinds } from '../../../src/core/command/kinds.ts'

/** Arguments whose kind does not say so, yet which name what is somebody's: only whose it is decides whether it is there. */
export const things = [
  'compose ps: project',
  'compose logs: project',
  'compose stop: project',
  'compose down: project',
  'registry logout: registry',
  'schedule rm: id',
  'secret rm: name',
  'hook show: hook',
  'hook rotate: hook',
  'hook rm: hook',
  'hook log: hook',
  'unlink: account',
  'key rm: key',
  'token rm: token',
  'sessions kill: id',
  'outcome: id',
] as const
export type Thing = (typeof things)[number]

/** What a member gives in words, and which names nothing that is there, nor anything but what everybody may know. */
export const words = [
  'create: name',
  'create: device',
  'create: seccomp',
  'config: prefix',
  'exec: workdir',
  'run: name',
  'redeploy: health',
  'recreate: health',
  'rename: name',
  'clone: name',
  'cp: name',
  'inbox: name',
  'volume create: name',
  'network create: name',
  'commit: image',
  'build: image',
  'build: dockerfile',
  'build: file',
  'build: context',
  'image tag: name',
  'pull: image',
  'pull: name',
  'push: to',
  'compose up: file',
  'compose up: project',
  'compose check: file',
  'compose check: project',
  'compose logs: service',
  'registry login: registry',
  'registry login: password',
  'registry login: user',
  'schedule: tz',
  'share: member',
  'unshare: member',
  'secret set: name',
  'secret set: value',
  'hook new: name',
  'hook new: do',
  'hook new: on',
  'hook new: if',
  'link: code',
  'key add: key',
  'token new: label',
  'token new: container',
  'can: line',
] as const

/** Kinds of argument that may be anything in words, a name of what is there too. */
const free: readonly KindName[] = [
  ...(['text', 'name', 'id', 'line', 'document', 'account', 'registry', 'remote'] as const),
  ...(['container-name', 'person-name', 'image-ref', 'engine-ref'] as const),
]
/** Whether only its table can say what an argument names; an admin's commands are refused to members whatever they name. */
export const isFree = (command: Command, name: string): boolean =>
  command.needs !== 'admin' && free.includes(command.args[name]!.kind)

/** Whether an argument names something that is there or not, depending on who asks. */
export const namesThing = (command: Command, name: string): boolean =>
  kinds[command.args[name]!.kind].names !== undefined || things.some((thing) => thing === `${command.name}: ${name}`)
