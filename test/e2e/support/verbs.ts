/** The ways in, each with the real client of its kind: a token's HTTP request, `bin/dcm`, OpenSSH, Slack, Discord, a forge. */
export type Way = 'http' | 'dcm' | 'ssh' | 'slack' | 'discord' | 'hook' | 'upload'

/** One verb as somebody says it who then gets what they wanted. */
export type Verb = {
  way: Way
  by: 'alice' | 'admin' | 'stranger'
  /** As typed. `{word}` stands for what an earlier answer told. */
  line: string
  says: RegExp
  /** Standard input of `dcm`. */
  input?: string
  /** What of this answer later lines need. */
  keeps?: Record<string, RegExp>
}

const alice = (way: Way, line: string, says: RegExp, more: Pick<Verb, 'input' | 'keeps'> = {}): Verb => ({
  ...{ way, by: 'alice', line, says },
  ...more,
})
const admin = (way: 'http' | 'dcm', line: string, says: RegExp, more: Pick<Verb, 'keeps'> = {}): Verb => ({
  ...{ way, by: 'admin', line, says },
  ...more,
})
const id = /"id":"(\w{12})"/

const shop = `name: shop
services:
  front: { image: debian, mem_limit: 64m, command: sh -c 'echo open; exec sleep 600' }
`

/**
 * Every verb that there is, once, in an order in which each succeeds: a member comes, works and goes. Who adds a command
 * adds its line here; test/commands/walked.test.ts says which is missing.
 */
export const verbs: readonly Verb[] = [
  alice('ssh', 'help', /These are the commands by topic/),
  admin('dcm', 'user add carol', /Added carol, who has no key yet/),
  admin('http', 'user ls', /There are 4 members/),
  admin('dcm', 'user show carol', /carol is a member and active/),
  admin('http', 'user invite dave', /dave/),
  admin('http', 'user link carol slack:T1/UCAROL', /slack:T1\/UCAROL is carol now/),
  admin('http', 'user unlink carol', /carol is not slack:T1\/UCAROL any more/),
  admin('dcm', 'user suspend carol', /Suspended carol/),
  admin('dcm', 'user resume carol', /carol may use DCM again/),
  admin('http', 'group add lab', /lab is a group now/),
  admin('http', 'group join lab carol', /carol is in lab/),
  admin('http', 'group quota lab memory=6g', /Each member of lab may use: memory=6g/),
  admin('http', 'group grant lab restart-policy', /Granted restart-policy to every member of lab/),
  admin('dcm', 'group show lab', /lab has one member/),
  admin('http', 'group ls', /There is one group/),
  admin('http', 'group revoke lab restart-policy', /Revoked restart-policy from lab/),
  admin('http', 'group leave lab carol', /carol is no longer in lab/),
  admin('http', 'group rm lab --yes', /The group lab is removed/),
  // For a storage that she leaves.
  admin('http', 'run debian -m 64m --as carol -- true', /true in debian:latest ended with exit code 0/),
  admin('dcm', 'user rm carol --yes', /carol is removed\. Kept: their storage/),
  admin('http', 'user kept', /There is one storage of members who are gone/),
  admin('dcm', 'user discard carol --yes', /What carol left is removed/),
  admin('http', 'quota site', /This is what a member may use/),
  admin('http', 'quota set alice containers=9 running=9 memory=4g cpus=9 images=9', /The quota of alice is now/),
  admin('http', 'quota unset alice images', /alice has the site's quota of images again/),
  admin('dcm', 'capacity', /This is what the host has/),
  admin('http', 'device add zero /dev/zero', /\/dev\/zero is called zero now/),
  admin('http', 'device ls', /There is one device/),
  admin('http', `seccomp add strict '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}'`, /The seccomp profile strict/),
  admin('http', 'seccomp ls', /There is one seccomp profile/),
  admin('http', 'grant alice device:zero --for 1d', /Granted device:zero to alice/),
  alice('ssh', 'grants', /device:zero/),
  admin('http', 'revoke alice device:zero', /Revoked device:zero from alice/),
  admin('http', 'seccomp rm strict --yes', /Forgot the seccomp profile strict/),
  admin('http', 'device rm zero --yes', /Forgot the device zero/),

  alice('slack', 'link', /ties this account to yours/, { keeps: { code: /dcm link ([0-9a-z-]{24})/ } }),
  alice('ssh', 'link {code}', /The account slack:T1\/UALICE .*is yours now/),
  alice('discord', 'whoami', /You are alice/),
  {
    way: 'slack',
    by: 'stranger',
    line: 'join "for the course"',
    says: /Your request is stored; no admin is in this chat/,
  },
  admin('http', 'requests', /There is one request/, { keeps: { joins: id } }),
  admin('http', 'deny {joins}', /Denied: /),
  alice('slack', 'request port:443 --for 4h --why demo', /Your request \w+ for port:443 is stored/, {
    keeps: { wish: /request (\w{12}) for/ },
  }),
  admin('dcm', 'approve {wish}', /Approved: alice has port:443/),
  alice('discord', 'can create more --image debian -m 900g', /No: You may have 4g of memory/),
  alice('slack', 'notify off died', /You are not told any more of died/),
  alice('discord', 'quota show', /This is what you use and may use/),

  admin('http', 'image offer debian:bookworm-slim --name plain', /plain:latest is offered to every member/),
  admin('dcm', 'image deprecate plain --use debian', /plain:latest is deprecated/),
  admin('http', 'image withdraw plain --yes', /plain:latest is no longer offered/),
  admin('http', 'image rebuild debian', /debian:latest is made anew/),
  alice('slack', 'images', /There is one image you can create from/),

  alice(
    'slack',
    `create web --image debian --ttl 2d -m 64m -p 80 -- sh -c 'echo hello; exec sleep 600'`,
    /web is running; log in/,
  ),
  alice('discord', 'ps', /You have one container/),
  alice('discord', 'inspect web', /web: Up /),
  alice('ssh', 'ssh web', /ssh -p \d+ root@127\.0\.0\.1/),
  alice('ssh', 'config', /Host web/),
  alice('slack', 'logs web', /hello/),
  alice('discord', 'top web', /sleep 600/),
  alice('slack', 'stats', /This is what it takes now/),
  alice('discord', 'update web -m 96m', /web has 96m of memory/),
  alice('http', 'exec web -- hostname', /"output":"web/, { keeps: { ran: /"operation":\{"id":"(\w{12})"/ } }),
  alice('ssh', 'outcome {ran}', /^web$/m),
  alice('dcm', 'cp web:/etc/hostname -', /hostname\0/),
  alice('upload', 'inbox --name hostname', /hostname is in \/storage\/inbox of your containers/),
  alice('slack', 'diff web', /\d+ paths in web differ from its image/),
  alice('ssh', 'note web "for Friday"', /Noted for web/),
  alice('slack', 'pause web', /web is paused/),
  alice('discord', 'unpause web', /web is running again/),
  alice('discord', 'kill web -s CONT', /web was sent CONT and goes on/),
  alice('http', 'hook new deploy --do "restart web -t 1" --verify token --for 1d', /This is your hook deploy/, {
    keeps: { url: /"url":"([^"]+)"/, secret: /"secret":"([^"]+)"/ },
  }),
  alice('hook', 'restart web -t 1', /web was restarted/),
  alice('discord', 'hook ls', /You have one hook/),
  alice('ssh', 'hook show deploy', /The hook deploy runs: restart web -t 1/),
  alice('slack', 'hook log deploy', /deploy/),
  alice('http', 'hook rotate deploy', /This is the new secret of deploy/),
  alice('discord', 'hook rm deploy', /Removed the hook deploy/),
  alice('slack', 'stop web -t 1', /web is stopped/),
  alice('ssh', 'wait web', /web ended with exit code/),
  alice('discord', 'start web', /web is running/),
  alice('ssh', 'redeploy web -t 1', /web runs debian:latest now/),
  alice('discord', 'recreate web --yes -t 1 -e MODE=test', /web runs debian:latest now/),
  alice('dcm', 'events web', /This happened to web, newest first/),

  alice('slack', 'extend web 1d', /web will be removed at/),
  alice('discord', 'keep web 8h', /web is not stopped for being idle until/),
  alice('discord', 'schedule web stop "0 20 * * *"', /web will stop next at/, {
    keeps: { schedule: /schedule rm (\w{12})/ },
  }),
  alice('slack', 'schedule ls', /You have one schedule/),
  alice('ssh', 'schedule rm {schedule}', /web is no longer told to stop/),
  alice('slack', 'port add web 8080 --for 1h', /Port 8080 of web is open at/),
  alice('discord', 'port ls', /There are 2 open ports/),
  alice('ssh', 'port rm web 8080', /Port 8080 of web is closed/),
  alice('slack', 'volume create data', /The volume data is there/),
  alice('discord', 'volume ls', /You have one volume/),
  alice('http', 'volume rm data --yes', /data is removed with all it held/),
  alice('discord', 'network create back', /The network back is there/),
  alice('slack', 'network ls', /You have one network beside your main one/),
  alice('ssh', 'network connect back web', /web is on back/),
  alice('slack', 'network disconnect back web', /web is no longer on back/),
  alice('discord', 'network rm back', /The network back is removed/),
  alice('dcm', 'secret set web TOKEN -', /web finds TOKEN in \/run\/secrets now/, { input: 'sesame' }),
  alice('discord', 'secret ls web', /web has one secret/),
  alice('slack', 'secret rm web TOKEN', /web has no secret TOKEN any more/),
  alice('slack', 'share web bob --for 1h', /bob may look at web until/),
  alice('discord', 'shares', /bob/),
  alice('ssh', 'unshare web bob', /web is no longer shared with bob/),

  alice('discord', 'commit web web:v1 -m note', /Saved web as web:v1/),
  alice('slack', 'image show web:v1', /web:v1 is /),
  alice('ssh', 'image tag web:v1 web:stable', /web:v1 is called web:stable too/),
  admin('http', 'registry allow {registry} --yes', /Members may pull from/),
  alice('slack', 'registry ls', /127\.0\.0\.1/),
  alice('dcm', 'registry login {registry} --user al -', /You are logged in to/, { input: 'correct horse\n' }),
  alice('http', 'push web:v1 {registry}/al/web:v1', /web:v1 is 127\.0\.0\.1:\d+\/al\/web:v1 now/),
  alice('discord', 'pull {registry}/al/web:v1 --name back:v1', /back:v1 is yours/),
  alice('ssh', 'registry logout {registry}', /Your login to .* is forgotten/),
  admin('http', 'registry disallow {registry} --yes', /is not allowed any more/),
  alice('slack', 'rmi -f web:stable', /web:stable is removed/),
  alice('dcm', 'build made:v1 "FROM debian"', /Built made:v1/),
  alice('ssh', 'run made:v1 -m 64m -- echo job done', /job done/),
  alice('http', 'clone web twin', /twin is running, a copy of web/),
  alice('ssh', 'rename twin two', /twin is now called two/),
  alice('slack', 'rm -f two', /two is removed/),
  alice('dcm', 'export web -o {tar}', /^$/),
  alice('http', `compose check "${shop}"`, /This file can be brought up: front/),
  alice('http', `compose up "${shop}"`, /shop is up: /),
  alice('discord', 'compose ps', /You have one composition/),
  alice('slack', 'compose logs shop', /open/),
  alice('ssh', 'compose stop shop -t 1', /shop is stopped/),
  alice('discord', 'compose down shop --yes', /shop is down/),
  alice('slack', 'df', /You use .* of disk/),
  alice('discord', 'prune --only containers --yes', /There is nothing to prune/),

  alice('ssh', 'key add {key}', /opens your containers now/),
  alice('discord', 'key ls', /You have 2 keys/),
  alice('slack', 'key rm second@test', /Removed the key SHA256/),
  alice('http', 'token new ci --command ps --for 1d', /This is your token ci/),
  alice('ssh', 'token ls', /ci/),
  alice('slack', 'token rm ci', /Removed the token ci/),
  alice('http', 'sessions', /one open SSH connection/, { keeps: { session: id } }),
  alice('slack', 'sessions kill {session}', /The connection \w+ of alice is being closed/),
  admin('dcm', 'inventory', /There is one container/),
  admin('http', 'doctor', /guarantees hold/),
  admin('http', 'audit --limit 3', /These are the last 3 entries/),
  alice('slack', 'unlink', /The account slack:T1\/UALICE is not yours any more/),
]
