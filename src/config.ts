import { accessSync, constants, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseSubnet } from './core/containers/subnet.ts'
import type { PortRange } from './core/containers/ports.ts'
import { type AdminChannel, parseChannel, parseSignup, type Signup } from './core/model/signup.ts'
import { parseDuration } from './core/model/units.ts'
import { variables } from './variables.ts'

/** Where something listens. */
export type Address = { host: string; port: number }

/** The SSH door: where it listens, and what it bears with. `given`: somebody asked for this very address. */
export type SshConfig = Address & {
  given: boolean
  /** Milliseconds that a connection has to log in. */
  grace: number
  /** Tries to log in that a connection has. */
  tries: number
  /** Connections that have not logged in: in all, and from one address; the oldest gives way. */
  waiting: number
  waitingFrom: number
  /** Connections of one member at a time. */
  perMember: number
}

/** What the environment says of Slack; null when it says nothing. What is missing is told when it is loaded. */
export type SlackConfig = {
  signingSecret: string | undefined
  botToken: string | undefined
  appToken: string | undefined
  clientId: string | undefined
  clientSecret: string | undefined
  apiUrl: string
  authorizeUrl: string
}

/** What the environment says of Discord; null when it says nothing. */
export type DiscordConfig = {
  token: string | undefined
  applicationId: string | undefined
  publicKey: string | undefined
  guilds: string[] | undefined
  apiUrl: string
}

/**
 * What a process does of DCM. `web`: it answers HTTP, stores what is asked for and reads what is stored, and reaches no
 * engine. `worker`: all of the rest. `all`: both.
 */
export type Role = 'web' | 'worker' | 'all'

/** All that the environment says, read once and checked as a whole. */
export type Config = {
  role: Role
  dataDir: string
  http: Address
  ssh: SshConfig | null
  bindHost: string
  publicHost: string
  publicUrl: string
  databaseUrl: string | undefined
  dockerHost: string
  certPath: string | undefined
  tlsVerify: boolean
  ports: PortRange
  subnetPool: string
  egressAllow: string[]
  trustProxy: boolean
  idleStop: number | undefined
  signup: Signup
  adminChannel: AdminChannel | undefined
  slack: SlackConfig | null
  discord: DiscordConfig | null
  secretKey: Buffer | undefined
  adminKey: string | undefined
  logLevel: string
}

const hostName = /^[A-Za-z0-9.:[\]-]{1,253}$/
const address = /^((?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/

/**
 * Reads and checks the environment as a whole.
 * @returns the configuration, or every problem there is, a sentence each that names the variable
 */
export function readConfig(env: NodeJS.ProcessEnv, root: boolean): { config: Config } | { problems: string[] } {
  const problems: string[] = []
  const get = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name])
  const problem = (name: string, should: string) =>
    void problems.push(`${name} must be ${should}; it is "${get(name)}".`)

  for (const name of Object.keys(env))
    if (name.startsWith('DCM_') && !name.startsWith('DCM_TEST_') && !known.has(name))
      problems.push(`${name} is not a variable of DCM; see the README for those there are.`)

  const listen = (name: string, fallback: string): Address => {
    const match = address.exec(get(name) ?? fallback)
    const port = Number(match?.[2])
    if (!match || port > 65535) problem(name, 'ADDRESS:PORT, like 127.0.0.1:8787')
    return { host: match?.[1]?.replace(/^\[|\]$/g, '') ?? '', port }
  }
  const http = listen('DCM_HTTP_ADDR', '127.0.0.1:8787')
  const number = (name: string, fallback: number): number => {
    const value = Number(get(name) ?? fallback)
    if (!Number.isInteger(value) || value < 1 || value > 10_000) problem(name, 'a number from 1 to 10000')
    return value
  }
  const grace = parseDuration(get('DCM_SSH_GRACE') ?? '30s')
  if (grace === undefined || grace < 1000 || grace > 600_000) problem('DCM_SSH_GRACE', 'a time from 1s to 10m')
  const ssh: SshConfig | null =
    get('DCM_SSH_ADDR') === 'off'
      ? null
      : {
          ...listen('DCM_SSH_ADDR', '127.0.0.1:2222'),
          given: get('DCM_SSH_ADDR') !== undefined,
          grace: grace ?? 0,
          tries: number('DCM_SSH_TRIES', 10),
          waiting: number('DCM_SSH_WAITING', 100),
          waitingFrom: number('DCM_SSH_WAITING_FROM', 50),
          perMember: number('DCM_SSH_PER_MEMBER', 50),
        }
  const bindHost = get('DCM_BIND_HOST') ?? '127.0.0.1'
  if (!/^(\d{1,3}\.){3}\d{1,3}$/.test(bindHost)) problem('DCM_BIND_HOST', 'an IPv4 address of this machine')
  const publicHost = get('DCM_PUBLIC_HOST') ?? (get('DCM_BIND_HOST') && bindHost !== '0.0.0.0' ? bindHost : '127.0.0.1')
  if (!hostName.test(publicHost)) problem('DCM_PUBLIC_HOST', 'a host name or address')
  const publicUrl =
    get('DCM_PUBLIC_URL') ?? `http://${http.host.includes(':') ? `[${http.host}]` : http.host}:${http.port}`
  if (!/^https?:\/\/[^\s]+$/.test(publicUrl)) problem('DCM_PUBLIC_URL', 'a URL that starts with http:// or https://')
  const databaseUrl = get('DATABASE_URL')
  const role = get('DCM_ROLE') ?? 'all'
  if (!isRole(role)) problem('DCM_ROLE', 'web, worker or all')
  if (role === 'web' || role === 'worker')
    for (const name of ['DATABASE_URL', 'DCM_SECRET_KEY'])
      if (!get(name)) problems.push(`${name} is missing: with DCM_ROLE=${role} it is what the processes share.`)
  if (databaseUrl && !/^postgres(ql)?:\/\//.test(databaseUrl))
    problems.push('DATABASE_URL must start with postgres://.')

  const [low, high] = (get('DCM_PORT_RANGE') ?? '20000-29999').split('-').map(Number)
  if (!(Number.isInteger(low) && Number.isInteger(high) && low! >= 1024 && high! <= 65535 && low! < high!))
    problem('DCM_PORT_RANGE', 'LOW-HIGH between 1024 and 65535')
  const subnetPool = get('DCM_SUBNET_POOL') ?? '10.201.0.0/16'
  const pool = parseSubnet(subnetPool)
  if (!pool || pool.last - pool.first < 63)
    problem('DCM_SUBNET_POOL', 'an IPv4 subnet of at least /26, like 10.201.0.0/16')

  const dockerHost = get('DOCKER_HOST') ?? 'unix:///var/run/docker.sock'
  if (!/^(unix:\/\/\/|tcp:\/\/)/.test(dockerHost)) problem('DOCKER_HOST', 'unix:///path or tcp://host:port')
  const trust = get('DCM_TRUST_PROXY') ?? 'false'
  if (!['true', 'false', '1', '0'].includes(trust)) problem('DCM_TRUST_PROXY', 'true or false')
  const logLevel = get('LOG_LEVEL') ?? 'info'
  if (!['debug', 'info', 'warn', 'error', 'silent'].includes(logLevel))
    problem('LOG_LEVEL', 'debug, info, warn or error')

  const secret = get('DCM_SECRET_KEY')
  if (secret !== undefined && !/^[0-9a-fA-F]{64}$/.test(secret))
    problems.push('DCM_SECRET_KEY must be 64 hex digits; make one with: openssl rand -hex 32.')
  const adminKeyFile = get('DCM_ADMIN_KEY')
  let adminKey: string | undefined
  if (adminKeyFile !== undefined)
    try {
      accessSync(adminKeyFile, constants.R_OK)
      adminKey = readFileSync(adminKeyFile, 'utf8')
    } catch {
      problem('DCM_ADMIN_KEY', 'a public key file that can be read')
    }

  const idle = get('DCM_IDLE_STOP') ?? 'off'
  const idleStop = idle === 'off' ? undefined : parseDuration(idle)
  if (idle !== 'off' && (idleStop === undefined || idleStop < 60_000))
    problem('DCM_IDLE_STOP', 'off, or a time of at least 1m')
  const signup = parseSignup(get('DCM_SIGNUP') ?? 'off')
  if (!signup) problem('DCM_SIGNUP', 'off, request or open:PLATFORM:WORKSPACE, like open:slack:T1')
  const channel = get('DCM_ADMIN_CHANNEL')
  const adminChannel = channel === undefined ? undefined : parseChannel(channel)
  if (channel !== undefined && !adminChannel)
    problem('DCM_ADMIN_CHANNEL', 'PLATFORM:WORKSPACE/CHANNEL, like slack:T1/C1')
  const url = (name: string, fallback: string): string => {
    const value = get(name) ?? fallback
    if (!/^https?:\/\/[^\s]+$/.test(value)) problem(name, 'a URL that starts with http:// or https://')
    return value
  }
  const slack: SlackConfig = {
    signingSecret: get('SLACK_SIGNING_SECRET'),
    botToken: get('SLACK_BOT_TOKEN'),
    appToken: get('SLACK_APP_TOKEN'),
    clientId: get('SLACK_CLIENT_ID'),
    clientSecret: get('SLACK_CLIENT_SECRET'),
    apiUrl: url('SLACK_API_URL', 'https://slack.com/api/'),
    authorizeUrl: url('SLACK_AUTHORIZE_URL', 'https://slack.com/oauth/v2/authorize'),
  }
  if (slack.signingSecret !== undefined && !/^\S{16,}$/.test(slack.signingSecret))
    problems.push(
      'SLACK_SIGNING_SECRET must be the signing secret that Slack shows under Basic Information; it is too short for one.',
    )
  const slackOn = [slack.signingSecret, slack.botToken, slack.appToken, slack.clientId].some((one) => one !== undefined)

  const guilds = get('DISCORD_GUILDS')
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  if (guilds?.some((one) => !/^\d{2,24}$/.test(one)))
    problem('DISCORD_GUILDS', 'ids of servers, comma-separated, like 197038439483310086')
  const applicationId = get('DISCORD_APPLICATION_ID')
  if (applicationId !== undefined && !/^\d{2,24}$/.test(applicationId))
    problem('DISCORD_APPLICATION_ID', 'a number, as the developer portal shows it')
  const discord: DiscordConfig = {
    token: get('DISCORD_TOKEN'),
    applicationId,
    publicKey: get('DISCORD_PUBLIC_KEY'),
    guilds: guilds?.length ? guilds : undefined,
    apiUrl: url('DISCORD_API_URL', 'https://discord.com/api').replace(/\/+$/, ''),
  }
  const discordOn = discord.token !== undefined || discord.publicKey !== undefined

  if (problems.length > 0) return { problems }
  const home = get('XDG_DATA_HOME') ?? join(homedir(), '.local/share')
  return {
    config: {
      role: role as Role,
      dataDir: resolve(get('DCM_DATA_DIR') ?? (root ? '/var/lib/dcm' : join(home, 'dcm'))),
      http,
      ssh,
      bindHost,
      publicHost,
      publicUrl,
      databaseUrl,
      dockerHost,
      certPath: get('DOCKER_CERT_PATH'),
      tlsVerify: get('DOCKER_TLS_VERIFY') !== '0',
      ports: { low: low!, high: high! },
      subnetPool,
      egressAllow: (get('DCM_EGRESS_ALLOW') ?? 'apt')
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '' && one !== 'none'),
      idleStop,
      signup: signup!,
      adminChannel,
      slack: slackOn ? slack : null,
      discord: discordOn ? discord : null,
      trustProxy: trust === 'true' || trust === '1',
      secretKey: secret === undefined ? undefined : Buffer.from(secret, 'hex'),
      adminKey,
      logLevel,
    },
  }
}

const isRole = (text: string): text is Role => ['web', 'worker', 'all'].includes(text)

/** Names that are DCM's: its own table, and those of the local command. */
const known = new Set([...variables.map((variable) => variable.name), 'DCM_URL', 'DCM_TOKEN'])
