/** One variable: what `docs` and the README show of it. */
export type Variable = { name: string; fallback: string; about: string }

/** Every variable that DCM reads, in the order of the README's table. */
export const variables: readonly Variable[] = [
  {
    name: 'DCM_DATA_DIR',
    fallback: '`/var/lib/dcm` as root, else `$XDG_DATA_HOME/dcm`',
    about: 'Where everything is kept: database, keys, storage, `dcm.sock`.',
  },
  {
    name: 'DCM_ROLE',
    fallback: '`all`',
    about:
      '`web` answers HTTP and reaches no Docker, `worker` does all of the rest, `all` both; [docs/operations.md](docs/operations.md#several-processes) says when.',
  },
  { name: 'DCM_HTTP_ADDR', fallback: '`127.0.0.1:8787`', about: 'Where the HTTP API listens.' },
  { name: 'DCM_SSH_ADDR', fallback: '`127.0.0.1:2222`', about: 'Where the SSH door listens; `off` for none.' },
  { name: 'DCM_SSH_GRACE', fallback: '`30s`', about: 'How long an SSH connection has to log in.' },
  { name: 'DCM_SSH_TRIES', fallback: '`10`', about: 'Keys that an SSH connection may try.' },
  {
    name: 'DCM_SSH_WAITING',
    fallback: '`100`',
    about: 'SSH connections that have not logged in yet; when there are more, the oldest gives way.',
  },
  { name: 'DCM_SSH_WAITING_FROM', fallback: '`50`', about: 'The same for one address.' },
  { name: 'DCM_SSH_PER_MEMBER', fallback: '`50`', about: 'SSH connections of one member at a time.' },
  {
    name: 'DCM_BIND_HOST',
    fallback: '`127.0.0.1`',
    about: 'The address of this machine that container ports bind to.',
  },
  {
    name: 'DCM_PUBLIC_HOST',
    fallback: '`127.0.0.1`',
    about: 'What an ssh line shows: a name or address that members reach this machine by.',
  },
  {
    name: 'DCM_PUBLIC_URL',
    fallback: '`http://` and DCM_HTTP_ADDR',
    about: 'What others are told to call this DCM by.',
  },
  {
    name: 'DATABASE_URL',
    fallback: 'embedded database in the data folder',
    about: 'A PostgreSQL to use instead, `postgres://…`.',
  },
  {
    name: 'DOCKER_HOST',
    fallback: '`unix:///var/run/docker.sock`',
    about:
      'The engine. When set, nothing is installed or started. `DOCKER_CERT_PATH` and `DOCKER_TLS_VERIFY` as Docker has them.',
  },
  {
    name: 'DCM_PORT_RANGE',
    fallback: '`20000-29999`',
    about: "Host ports that DCM gives out; below the kernel's own range.",
  },
  { name: 'DCM_SUBNET_POOL', fallback: '`10.201.0.0/16`', about: "Out of this each member's network gets a /26." },
  {
    name: 'DCM_EGRESS_ALLOW',
    fallback: '`apt`',
    about:
      "Private addresses that containers may reach, comma-separated: CIDR, CIDR:PORT, host names, or `apt` for this machine's package mirrors.",
  },
  {
    name: 'DCM_TRUST_PROXY',
    fallback: '`false`',
    about: 'Whether X-Forwarded-For is believed, because a proxy of yours sets it.',
  },
  {
    name: 'DCM_SECRET_KEY',
    fallback: 'a 0600 file made at the first start',
    about: 'What secrets are sealed with: 64 hex digits.',
  },
  { name: 'DCM_ADMIN_KEY', fallback: 'none', about: 'A public key file, enrolled for `admin` at the first start.' },
  {
    name: 'DCM_IDLE_STOP',
    fallback: '`off`',
    about:
      'After how long a container is stopped that nobody uses (no SSH session, no traffic, hardly any CPU, no `keep`), like `12h`; its owner is told a quarter of an hour before.',
  },
  {
    name: 'DCM_SIGNUP',
    fallback: '`off`',
    about:
      'Who in a chat may become a member by themselves: `off`, `request` (an admin approves) or `open:slack:T1` (everyone of that workspace or guild).',
  },
  {
    name: 'DCM_ADMIN_CHANNEL',
    fallback: 'a direct message to each admin',
    about: "Where members' requests are shown to the admins, like `slack:T1/C1`.",
  },
  {
    name: 'SLACK_SIGNING_SECRET',
    fallback: 'none',
    about: 'Turns Slack on over HTTP: what its requests are signed with.',
  },
  {
    name: 'SLACK_BOT_TOKEN',
    fallback: 'none',
    about: 'The bot token of the one workspace (`xoxb-…`); not with OAuth.',
  },
  {
    name: 'SLACK_APP_TOKEN',
    fallback: 'none',
    about: 'Turns Slack on over Socket Mode, which needs no public address (`xapp-…`).',
  },
  {
    name: 'SLACK_CLIENT_ID',
    fallback: 'none',
    about: 'With SLACK_CLIENT_SECRET: several workspaces, by `/slack/install`.',
  },
  { name: 'SLACK_CLIENT_SECRET', fallback: 'none', about: 'See SLACK_CLIENT_ID.' },
  { name: 'SLACK_API_URL', fallback: '`https://slack.com/api/`', about: 'Only for a local stand-in.' },
  {
    name: 'SLACK_AUTHORIZE_URL',
    fallback: '`https://slack.com/oauth/v2/authorize`',
    about: 'Only for a local stand-in.',
  },
  { name: 'DISCORD_TOKEN', fallback: 'none', about: 'Turns Discord on: the token of its bot.' },
  {
    name: 'DISCORD_PUBLIC_KEY',
    fallback: 'none',
    about: "With it, Discord's signed requests to `/discord/interactions` are answered too (64 hex digits).",
  },
  { name: 'DISCORD_APPLICATION_ID', fallback: 'read off the token', about: "The application's id." },
  {
    name: 'DISCORD_GUILDS',
    fallback: 'every server that the bot was added to',
    about: 'Ids of the servers that DCM may be used in, comma-separated; whoever is in none of them is cut off.',
  },
  { name: 'DISCORD_API_URL', fallback: '`https://discord.com/api`', about: 'Only for a local stand-in.' },
  { name: 'LOG_LEVEL', fallback: '`info`', about: '`debug`, `info`, `warn` or `error`.' },
]
