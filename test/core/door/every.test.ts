import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import type { Person } from '../../../src/core/model/person.ts'
import type { FakeMethod } from '../../stand-ins/host/fake.ts'
import { createWorld, publicKey, type World } from './world.ts'

let world: World
let [alice]: Person[] = []
beforeAll(async () => {
  world = await createWorld({ settings: { recipes: new Map([['debian', '/fake/images/debian']]) } })
  world.host.fake.registry('registry.test')
  alice = await world.member('alice')
  // What a member who was called gone has left.
  await world.host.files.ensureStorage('gonegonegone', 2 ** 30)
  await world.store.site.merge('kept', { gonegonegone: { name: 'gone', at: new Date().toISOString() } })
  // What packs has something to say; all else is still.
  world.host.fake.programs(async function* ({ argv }) {
    if (argv.some((word) => word.includes('tar -cf'))) yield { stream: 'stdout', data: Buffer.from('a tar') }
    return 0
  })
  await world.store.sessions.insert(
    { id: 'aaaaaaaaaaaa', ownerId: alice.id, holder: 'test', address: '::1', fingerprint: 'SHA256:x', doing: 'prompt' },
    600_000,
  )
  await world.store.operations.insert({
    ...{ id: 'oooooooooooo', kind: 'start', subject: 'container:gone', ownerId: alice.id, status: 'done' },
    ...{ surface: 'ssh', command: 'start', target: 'gone', requestId: 'rrrrrrrrrrrr', input: {} },
    reply: { text: 'gone is running.', tone: 'ok', data: { name: 'gone' } },
  })
})
afterAll(() => world[Symbol.asyncDispose]())

type Row = {
  line: string
  /** Says it as `admin`, not as alice. */
  admin?: true
  /** What changed in the host's world; reading is not listed. */
  asked?: FakeMethod[]
  text: RegExp
  /** The one row of the audit log; none when absent. */
  row?: { target: string | null; decision?: 'done' | 'failed' }
}

/** What each method of a host does to its world; a new one has to say. */
const does: Record<FakeMethod, 'reads' | 'changes'> = {
  'engine.create': 'changes',
  'engine.start': 'changes',
  'engine.stop': 'changes',
  'engine.pause': 'changes',
  'engine.unpause': 'changes',
  'engine.remove': 'changes',
  'engine.alias': 'changes',
  'engine.leave': 'changes',
  'engine.exec': 'changes',
  'engine.kill': 'changes',
  'engine.update': 'changes',
  'engine.forward': 'changes',
  'engine.unforward': 'changes',
  'engine.commit': 'changes',
  'engine.login': 'changes',
  'engine.pull': 'changes',
  'engine.push': 'changes',
  'engine.release': 'changes',
  'engine.tag': 'changes',
  'engine.untag': 'changes',
  'engine.build': 'changes',
  'engine.createNetwork': 'changes',
  'engine.removeNetwork': 'changes',
  'files.placeRun': 'changes',
  'files.writeKeys': 'changes',
  'files.writeSecrets': 'changes',
  'files.removeRun': 'changes',
  'files.ensureStorage': 'changes',
  'files.ensureVolume': 'changes',
  'files.removeVolume': 'changes',
  'files.removeStorage': 'changes',
  'net.ensureFirewall': 'changes',
  'engine.ping': 'reads',
  'engine.info': 'reads',
  'engine.find': 'reads',
  'engine.inspect': 'reads',
  'engine.list': 'reads',
  'engine.logs': 'reads',
  'engine.export': 'reads',
  'engine.processes': 'reads',
  'engine.load': 'reads',
  'engine.changes': 'reads',
  'engine.layerSizes': 'reads',
  'engine.forwards': 'reads',
  'engine.image': 'reads',
  'engine.inside': 'reads',
  'engine.resolve': 'reads',
  'engine.imageTags': 'reads',
  'engine.imageHas': 'reads',
  'engine.networks': 'reads',
  'engine.gap': 'reads',
  'engine.events': 'reads',
  'files.storage': 'reads',
  'files.list': 'reads',
  'files.device': 'reads',
  'files.free': 'reads',
  'files.proveQuota': 'reads',
  'net.checkFirewall': 'reads',
  'net.portFree': 'reads',
  'net.dial': 'reads',
  'net.routes': 'reads',
  'net.ephemeralPorts': 'reads',
  'net.greet': 'reads',
}
const begun: FakeMethod[] = ['files.ensureStorage', 'files.placeRun']
/** Twice, for whoever goes on after a crash makes sure of it again. */
const anew: FakeMethod[] = ['engine.createNetwork', ...begun, 'engine.create']

/** The tour: every command there is, in an order in which each one works. */
const tour: Row[] = [
  { line: 'help', text: /^These are the commands by topic; / },
  { line: 'whoami', text: /^You are alice\.$/ },
  { line: 'images', text: /^There are 2 images you can create from\.$/ },
  {
    line: 'create web --ttl 2d --image debian -p 80 -p 53/udp -e A=b -m 64m --cpus 0.5 -- sleep 9',
    asked: ['engine.createNetwork', ...begun, 'engine.create', 'engine.start', 'files.writeKeys'],
    text: /^web is running; log in with the ssh line below\.$/,
    row: { target: 'web' },
  },
  { line: 'ps', text: /^You have one container\.$/ },
  { line: 'inspect web', text: /^web: Up / },
  { line: 'ssh web', text: /^This line logs in to web with any of your keys\.$/ },
  {
    line: 'config',
    text: /^The first lines go into ~\/\.ssh\/config, the others into ~\/\.ssh\/known_hosts; then "ssh web" works\.$/,
  },
  { line: 'outcome oooooooooooo', text: /^gone is running\.$/, row: { target: 'oooooooooooo' } },
  { line: 'sessions', text: /^There is one open SSH connection\.$/ },
  {
    line: 'sessions kill aaaaaaaaaaaa',
    text: /^The connection aaaaaaaaaaaa of alice is being closed\.$/,
    row: { target: 'aaaaaaaaaaaa' },
  },
  { line: 'logs web', text: /^web has printed nothing\.$/ },
  { line: 'top web', text: /^One process runs in web\.$/ },
  { line: 'stats', text: /^This is what it takes now\.$/ },
  { line: 'diff web', text: /^Nothing in web differs from its image; \/storage is not compared\.$/ },
  {
    line: 'update web -m 128m',
    asked: ['engine.update'],
    text: /^web has 128m of memory, 0\.5 CPUs and 256 processes now\.$/,
    row: { target: 'web' },
  },
  { line: 'kill -s HUP web', asked: ['engine.kill'], text: /^web was sent HUP and goes on\.$/, row: { target: 'web' } },
  {
    line: 'stop web',
    asked: ['engine.stop'],
    text: /^web is stopped; its ports stay reserved and its files are kept\.$/,
    row: { target: 'web' },
  },
  { line: 'wait web', text: /^web ended with exit code 0\.$/, row: { target: 'web' } },
  { line: 'events web', text: /^This happened to web, newest first\.$/ },
  {
    line: 'start web',
    asked: [...begun, 'engine.start', 'files.writeKeys'],
    text: /^web is running\.$/,
    row: { target: 'web' },
  },
  {
    line: 'restart web -t 1',
    asked: ['engine.stop', ...begun, 'engine.start', 'files.writeKeys'],
    text: /^web was restarted\.$/,
    row: { target: 'web' },
  },
  { line: 'pause web', asked: ['engine.pause'], text: /^web is paused: it keeps its memory/, row: { target: 'web' } },
  { line: 'unpause web', asked: ['engine.unpause'], text: /^web is running again\.$/, row: { target: 'web' } },
  {
    line: 'exec web -- true',
    asked: ['engine.exec'],
    text: /^true in web ended with exit code 0\.$/,
    row: { target: 'web' },
  },
  {
    line: 'redeploy web',
    asked: [...anew, ...anew, 'engine.stop', 'engine.start', 'files.writeKeys', 'engine.remove'],
    text: /^web runs debian:latest now; its name, storage, limits and host key are as they were\.$/,
    row: { target: 'web' },
  },
  {
    line: 'recreate web --yes --clear command',
    asked: [...anew, ...anew, 'engine.stop', 'engine.start', 'files.writeKeys', 'engine.remove'],
    text: /^web runs debian:latest now; /,
    row: { target: 'web' },
  },
  { line: 'volume create data', text: /^The volume data is there; mount it with -v data:/, row: { target: 'data' } },
  { line: 'volume ls', text: /^You have one volume\.$/ },
  {
    line: 'volume rm data --yes',
    asked: ['files.removeVolume'],
    text: /^data is removed with all it held\.$/,
    row: { target: 'data' },
  },
  {
    line: 'network create back',
    asked: ['engine.createNetwork'],
    text: /^The network back is there: make containers on it with --network back, or let them join/,
    row: { target: 'back' },
  },
  { line: 'network ls', text: /^You have one network beside your main one\.$/ },
  {
    line: 'network connect back web',
    asked: ['engine.createNetwork', 'engine.alias'],
    text: /^web is on back; what is there finds it as web\.$/,
    row: { target: 'back web' },
  },
  {
    line: 'network disconnect back web',
    asked: ['engine.leave'],
    text: /^web is no longer on back\.$/,
    row: { target: 'back web' },
  },
  {
    line: 'network rm back',
    asked: ['engine.removeNetwork'],
    text: /^The network back is removed\.$/,
    row: { target: 'back' },
  },
  {
    line: 'port add web 8080 --for 2d',
    asked: ['engine.createNetwork', 'engine.forward'],
    text: /^Port 8080 of web is open at dcm\.example:\d+ until 20.* UTC\.$/,
    row: { target: 'web 8080' },
  },
  { line: 'port ls', text: /^There are 3 open ports\.$/ },
  {
    line: 'port rm web 8080',
    asked: ['engine.unforward'],
    text: /^Port 8080 of web is closed\.$/,
    row: { target: 'web 8080' },
  },
  {
    line: 'hook new deploy --do "redeploy web --image web:{sha}" --for 1d',
    text: /^This is your hook deploy; its secret is shown only this once\./,
    row: { target: 'deploy' },
  },
  { line: 'hook ls', text: /^You have one hook\.$/ },
  { line: 'hook show deploy', text: /^The hook deploy runs: redeploy web --image web:\{sha\}\.$/ },
  {
    line: 'hook rotate deploy',
    text: /^This is the new secret of deploy, shown only this once; the old one is good until /,
    row: { target: 'deploy' },
  },
  { line: 'hook log deploy', text: /^Nothing was sent to deploy yet\.$/ },
  {
    line: 'hook rm deploy',
    text: /^Removed the hook deploy; what is sent to it is refused from now on\.$/,
    row: { target: 'deploy' },
  },
  {
    line: 'commit web web:v1 -m note',
    asked: ['engine.commit'],
    text: /^Saved web as web:v1, .* \/storage is not in it\. It keeps the values of A; use --no-env to leave them out\.$/,
    row: { target: 'web web:v1' },
  },
  {
    line: 'image show web:v1',
    text: /^web:v1 is 100m in 3 layers: note\.$/,
  },
  {
    line: 'image tag web:v1 web:stable',
    asked: ['engine.tag'],
    text: /^web:v1 is called web:stable too; either name can be removed without the other\.$/,
    row: { target: 'web:v1 web:stable' },
  },
  {
    line: 'rmi -f web:stable',
    asked: ['engine.untag'],
    text: /^web:stable is removed\.$/,
    row: { target: 'web:stable' },
  },
  {
    line: 'build made:v1 "FROM debian"',
    asked: [
      'engine.createNetwork',
      ...begun,
      'engine.create',
      'engine.start',
      'engine.commit',
      'engine.remove',
      'files.removeRun',
    ],
    text: /^Built made:v1, 100m\.$/,
    row: { target: 'made:v1' },
  },
  { line: 'rmi -f made:v1', asked: ['engine.untag'], text: /^made:v1 is removed\.$/, row: { target: 'made:v1' } },
  { line: 'registry ls', text: /^No registry is allowed yet; / },
  {
    line: 'registry allow registry.test',
    admin: true,
    text: /^Members may pull from registry\.test and push to it, /,
    row: { target: 'registry.test' },
  },
  {
    line: 'push web:v1 registry.test/alice/web:v1',
    asked: ['engine.push', 'engine.release'],
    text: /^web:v1 is registry\.test\/alice\/web:v1 now\.$/,
    row: { target: 'web:v1 registry.test/alice/web:v1' },
  },
  {
    line: 'pull registry.test/alice/web:v1 --name pulled',
    asked: ['engine.pull', 'engine.tag', 'engine.release'],
    text: /^pulled:latest is yours, 100m from registry\.test\/alice\/web:v1\.$/,
    row: { target: 'registry.test/alice/web:v1' },
  },
  { line: 'rmi -f pulled', asked: ['engine.untag'], text: /^pulled:latest is removed\.$/, row: { target: 'pulled' } },
  {
    line: 'registry disallow registry.test --yes',
    admin: true,
    text: /^registry\.test is not allowed any more\.$/,
    row: { target: 'registry.test' },
  },
  { line: 'extend web 1d', text: /^web will be removed at 20.* UTC\.$/, row: { target: 'web 1d' } },
  {
    line: 'keep web 8h',
    text: /^web is not stopped for being idle until 20.* UTC\. Nothing is stopped for being idle here, though\.$/,
    row: { target: 'web 8h' },
  },
  {
    line: 'schedule web stop "0 20 * * *"',
    text: /^web will stop next at 20.* 20:00 UTC; schedule rm \w+ ends that\.$/,
    row: { target: 'web stop 0 20 * * *' },
  },
  { line: 'schedule ls', text: /^You have one schedule\.$/ },
  {
    line: 'share web admin',
    asked: ['files.writeKeys'],
    text: /^admin may look at web until 20.* UTC, as alice\/web\.$/,
    row: { target: 'web admin' },
  },
  {
    line: 'unshare web admin',
    asked: ['files.writeKeys'],
    text: /^web is no longer shared with admin; /,
    row: { target: 'web admin' },
  },
  { line: 'secret ls web', text: /^web has no secrets\.$/ },
  {
    line: 'export web',
    text: /^This is the file system of web; \/storage and secrets are not in it\.$/,
    row: { target: 'web' },
  },
  {
    line: 'cp web:/srv -',
    asked: ['engine.exec'],
    text: /^This is \/srv of web, as a tar\.$/,
    row: { target: 'web:/srv -' },
  },
  { line: 'note web "for Friday"', text: /^Noted for web\.$/, row: { target: 'web' } },
  {
    line: 'clone web web2',
    asked: ['engine.commit', 'engine.createNetwork', ...begun, 'engine.create', 'engine.start', 'files.writeKeys'],
    text: /^web2 is running, a copy of web as it is now; .* Its image web2:clone is yours and counts in your quota: rmi it/,
    row: { target: 'web web2' },
  },
  {
    line: 'rm -f web2',
    asked: ['engine.remove', 'files.removeRun'],
    text: /^web2 is removed;/,
    row: { target: 'web2' },
  },
  {
    line: 'rmi -f web2:clone',
    asked: ['engine.untag'],
    text: /^web2:clone is removed\.$/,
    row: { target: 'web2:clone' },
  },
  {
    line: 'rename web site',
    text: /^web is now called site\. Your other containers find it under the new name/,
    row: { target: 'web site' },
  },
  {
    line: 'rm -f site',
    asked: ['engine.remove', 'files.removeRun'],
    text: /^site is removed; \/storage and your images are untouched\.$/,
    row: { target: 'site' },
  },
  { line: 'rmi -f web:v1', asked: ['engine.untag'], text: /^web:v1 is removed\.$/, row: { target: 'web:v1' } },
  { line: 'compose ps', text: /^You have no compositions; compose up brings one up\.$/ },
  { line: 'df', text: /^You use 0 of 10g of disk\.$/ },
  { line: 'prune --yes', text: /^There is nothing to prune\.$/, row: { target: null } },
  {
    line: `key add ${publicKey('alice@desk')}`,
    text: /^The key SHA256:\S+ opens your containers now\.$/,
    row: { target: null },
  },
  { line: 'key ls', text: /^You have 2 keys\.$/ },
  {
    line: 'key rm alice@desk',
    text: /^Removed the key SHA256:\S+; what was opened .* stays open\.$/,
    row: { target: 'alice@desk' },
  },
  {
    line: 'token new ci --command ps --for 1d',
    text: /^This is your token ci, shown only this once/,
    row: { target: 'ci' },
  },
  { line: 'token ls', text: /^You have one token\.$/ },
  { line: 'token rm ci', text: /^Removed the token ci; it is refused from now on\.$/, row: { target: 'ci' } },
  { line: 'quota show', text: /^This is what you use and may use\.$/ },
  { line: 'grants', text: /^You have no grants\.$/ },
  {
    line: 'user invite zoe',
    admin: true,
    text: /^The SSH door is off here, so nobody can use this code yet; set DCM_SSH_ADDR\.$/,
    row: { target: 'zoe' },
  },
  { line: 'user rm zoe --yes', admin: true, text: /^zoe is removed/, row: { target: 'zoe' } },
  {
    line: 'user add bob',
    admin: true,
    text: /^Added bob, who has no key yet: add one with key add KEY --as bob\.$/,
    row: { target: 'bob' },
  },
  {
    line: 'user kept',
    admin: true,
    text: /^There is one storage of members who are gone; /,
    row: { target: null },
  },
  {
    line: 'user discard gone --yes',
    admin: true,
    asked: ['files.removeStorage'],
    text: /^What gone left is removed, /,
    row: { target: 'gone' },
  },
  { line: 'user ls', admin: true, text: /^There are 3 members\.$/, row: { target: null } },
  { line: 'user show bob', admin: true, text: /^bob is a member and active\.$/, row: { target: 'bob' } },
  {
    line: 'user link bob slack:T1/UBOB',
    admin: true,
    text: /^slack:T1\/UBOB is bob now\.$/,
    row: { target: 'bob slack:T1/UBOB' },
  },
  { line: 'user unlink bob', admin: true, text: /^bob is not slack:T1\/UBOB any more\.$/, row: { target: 'bob' } },
  {
    line: 'user link alice slack:T1/UALICE',
    admin: true,
    text: /^slack:T1\/UALICE is alice now\.$/,
    row: { target: 'alice slack:T1/UALICE' },
  },
  {
    line: 'unlink slack:T1/UALICE',
    text: /^The account slack:T1\/UALICE is not yours any more\.$/,
    row: { target: 'slack:T1/UALICE' },
  },
  {
    line: 'request port:443 --for 4h --why demo',
    text: /^Your request \w+ for port:443 is stored; no admin is in a chat, so tell one yourself\.$/,
    row: { target: 'port:443' },
  },
  { line: 'requests', text: /^There is one request\.$/ },
  { line: 'notify off died', text: /^You are not told any more of died\.$/, row: { target: 'off died' } },
  { line: 'can create more --image debian -m 900g', text: /^No: You may have 48g of memory/ },
  { line: 'shares', text: /^You share nothing, and nothing is shared with you\.$/ },
  { line: 'user suspend bob', admin: true, text: /^Suspended bob: /, row: { target: 'bob' } },
  { line: 'user resume bob', admin: true, text: /^bob may use DCM again, /, row: { target: 'bob' } },
  {
    line: 'device add null /dev/null --about Nothing.',
    admin: true,
    text: /^\/dev\/null is called null now; nobody has it until grant MEMBER device:null\.$/,
    row: { target: 'null /dev/null' },
  },
  { line: 'device ls', admin: true, text: /^There is one device\.$/ },
  {
    line: `seccomp add strict '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}'`,
    admin: true,
    text: /^The seccomp profile strict is there; /,
    row: { target: 'strict' },
  },
  { line: 'seccomp ls', admin: true, text: /^There is one seccomp profile\.$/ },
  {
    line: 'grant bob device:null --for 7d',
    admin: true,
    text: /^Granted device:null to bob, until 20.* UTC\.$/,
    row: { target: 'bob device:null' },
  },
  {
    line: 'revoke bob device:null',
    admin: true,
    text: /^Revoked device:null from bob\.$/,
    row: { target: 'bob device:null' },
  },
  {
    line: 'seccomp rm strict --yes',
    admin: true,
    text: /^Forgot the seccomp profile strict; /,
    row: { target: 'strict' },
  },
  { line: 'device rm null --yes', admin: true, text: /^Forgot the device null; /, row: { target: 'null' } },
  {
    line: 'quota set bob memory=1g',
    admin: true,
    text: /^The quota of bob is now memory=1g\.$/,
    row: { target: 'bob memory=1g' },
  },
  {
    line: 'quota unset bob memory',
    admin: true,
    text: /^bob has the site's quota of memory again\.$/,
    row: { target: 'bob memory' },
  },
  { line: 'group add lab', admin: true, text: /^lab is a group now; /, row: { target: 'lab' } },
  { line: 'group ls', admin: true, text: /^There is one group\.$/ },
  { line: 'group join lab bob', admin: true, text: /^bob is in lab\.$/, row: { target: 'lab bob' } },
  {
    line: 'group quota lab memory=6g',
    admin: true,
    text: /^Each member of lab may use: memory=6g\.$/,
    row: { target: 'lab memory=6g' },
  },
  {
    line: 'group grant lab restart-policy',
    admin: true,
    text: /^Granted restart-policy to every member of lab, /,
    row: { target: 'lab restart-policy' },
  },
  { line: 'group show lab', admin: true, text: /^lab has one member\.$/ },
  {
    line: 'group revoke lab restart-policy',
    admin: true,
    text: /^Revoked restart-policy from lab\.$/,
    row: { target: 'lab restart-policy' },
  },
  { line: 'group leave lab bob', admin: true, text: /^bob is no longer in lab\.$/, row: { target: 'lab bob' } },
  { line: 'group rm lab --yes', admin: true, text: /^The group lab is removed; /, row: { target: 'lab' } },
  {
    line: 'quota site',
    admin: true,
    text: /^This is what a member may use until told otherwise\.$/,
    row: { target: null },
  },
  {
    line: 'capacity',
    admin: true,
    text: /^This is what the host has and what has been given out\.$/,
    row: { target: null },
  },
  {
    line: 'image offer bare:1 --name slim',
    admin: true,
    asked: ['engine.tag'],
    text: /^slim:latest is offered to every member\.$/,
    row: { target: 'bare:1' },
  },
  {
    line: 'image rebuild debian',
    admin: true,
    asked: ['engine.build', 'engine.tag', 'engine.untag', 'engine.untag'],
    text: /^debian:latest is made anew, 100m; no container is made from the one before\.$/,
    row: { target: 'debian' },
  },
  {
    line: 'image deprecate slim --use debian',
    admin: true,
    text: /^slim:latest is deprecated, and members are told to use debian:latest; no container is made from it\.$/,
    row: { target: 'slim' },
  },
  {
    line: 'image withdraw slim --yes',
    admin: true,
    asked: ['engine.untag'],
    text: /^slim:latest is no longer offered\.$/,
    row: { target: 'slim' },
  },
  { line: 'inventory', admin: true, text: /^There are no containers\.$/, row: { target: null } },
  { line: 'doctor', admin: true, text: / guarantees hold/, row: { target: null } },
  {
    line: 'audit --limit 5',
    admin: true,
    text: /^These are the last 5 entries, newest first\.$/,
    row: { target: null },
  },
  {
    line: 'user rm bob --images --storage --yes',
    admin: true,
    asked: ['files.removeStorage'],
    text: /^bob is removed\.$/,
    row: { target: 'bob' },
  },
]

const said = new Set<string>()

test.each(tour)('$line', async ({ line, admin, asked = [], text, row }) => {
  // On a busy machine the tour takes longer than the engine may be silent.
  await world.store.hosts.seen('local')
  const told = await world.tell(admin ? world.admin : alice!, line)
  expect(told.reply.error, told.reply.text).toBeUndefined()
  expect(told.reply.text).toMatch(text)
  expect(told.asked.filter((method) => does[method] === 'changes')).toEqual(asked)
  const name = admin ? 'admin' : 'alice'
  expect(told.rows).toEqual(
    row
      ? [expect.objectContaining({ actor: name, as: null, surface: 'http', decision: 'done', code: null, ...row })]
      : [],
  )
  const command = commands
    .toSorted((a, b) => b.name.length - a.name.length)
    .find((one) => line === one.name || line.startsWith(`${one.name} `))!
  expect(told.reply.data, 'every command gives data').toBeDefined()
  // A command that hands over an operation says so: that is what lets a dry run go as far as admission.
  expect(told.reply.operation !== undefined).toBe(command.begins ?? false)
  if (row) expect(told.rows[0]?.command).toBe(command.name)
  if (command.private) expect(told.reply.private).toBe(true)
  said.add(command.name)
})

/**
 * What needs a chat or an id of the moment has tests of its own, in test/core/chat/; a job has to end and a
 * composition is no line, in test/operations/. */
const elsewhere = new Set([
  'inbox',
  'compose up',
  'compose check',
  'compose logs',
  'compose stop',
  'compose down',
  'run',
  'secret set',
  'secret rm',
  'registry login',
  'registry logout',
  'schedule rm',
  'link',
  'join',
  'approve',
  'deny',
])

test('there is no command that the tour leaves out', () => {
  expect(commands.map((command) => command.name).filter((name) => !said.has(name) && !elsewhere.has(name))).toEqual([])
})

test('N06: no secret of the tour is in the audit log', async () => {
  const log = JSON.stringify(await world.store.audit.read({ limit: 1000 }))
  for (const secret of ['AAAAC3', 'dcm_', 'whsec_', 'SCMP_ACT', 'A=b']) expect(log).not.toContain(secret)
})
