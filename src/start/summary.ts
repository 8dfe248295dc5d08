import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { Place } from '../core/model/place.ts'

type Facts = { tree: string; config: Config; place: Place; database: string; engine: string | undefined; http: string }

/** What runs where, for whoever started it. */
export const summary = ({ config, database, engine, http, place }: Facts): string[] => [
  '',
  `DCM ${place.version} is running.`,
  `  HTTP API   ${http} (reference: ${http}/docs)`,
  ...(place.ssh
    ? [`  SSH        ssh -p ${place.ssh.port} MEMBER@${place.publicHost} (host key ${place.ssh.fingerprint})`]
    : []),
  `  Docker     ${engine ? `Engine ${engine} at ${config.dockerHost}` : `does not answer at ${config.dockerHost} yet; DCM keeps trying`}`,
  `  Database   ${database === 'postgres' ? 'PostgreSQL' : 'embedded'}`,
  `  Data       ${config.dataDir}`,
  `  Ports      containers get ${config.ports.low}-${config.ports.high} on ${config.bindHost}`,
]

const quote = (text: string) => (/^[\w/.@:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** The next thing to type, which works when pasted into a second terminal. */
export function nextSteps({ tree, config }: Facts, adminKeys: readonly unknown[]): string[] {
  const usual = process.getuid?.() === 0 ? '/var/lib/dcm' : join(homedir(), '.local/share/dcm')
  const dcm = `${config.dataDir === usual ? '' : `DCM_DATA_DIR=${quote(config.dataDir)} `}${quote(join(tree, 'bin/dcm'))}`
  if (adminKeys.length > 0) return ['', 'Next, in a second terminal:', `  ${dcm} help`, '']
  const key = quote(join(homedir(), '.ssh/id_ed25519'))
  return [
    '',
    'Next, in a second terminal: this gives you a key if you have none, and your first container.',
    `  [ -f ${key} ] || ssh-keygen -q -t ed25519 -N '' -f ${key}; ${dcm} key add @${key}.pub && ${dcm} create web --image debian`,
    '',
  ]
}
