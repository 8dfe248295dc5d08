import type { Caller, Command } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import { createCards } from '../chat/cards.ts'
import { createCompose } from '../compose/plan.ts'
import { createCopy } from '../containers/copy.ts'
import { freshUse } from '../containers/disk.ts'
import { createExport } from '../containers/export.ts'
import { createImages } from '../containers/images.ts'
import { createHookContext } from '../hooks/context.ts'
import { spreadKeys, syncKeys } from '../containers/runfolder.ts'
import { createSecrets } from '../containers/secrets.ts'
import { createRegistries } from '../containers/registries.ts'
import { createRoom } from '../containers/room.ts'
import { createView } from '../containers/view.ts'
import { createNetworks } from '../containers/networks.ts'
import { createVolumes } from '../containers/volumes.ts'
import { createWatch } from '../containers/watch.ts'
import type { Works } from '../operation/define.ts'
import { createFollow } from '../operation/follow.ts'
import { createAudit } from '../people/audit.ts'
import { createGrants } from '../people/grants.ts'
import { createGroups } from '../people/groups.ts'
import { createConnected } from '../people/connected.ts'
import { createInvites } from '../people/invites.ts'
import { createKept } from '../people/kept.ts'
import { createKeys } from '../people/keys.ts'
import { createLinks } from '../people/links.ts'
import { createNotify } from '../people/notices.ts'
import { createPeople } from '../people/people.ts'
import { createQuota } from '../people/quota.ts'
import { createRequests } from '../people/requests.ts'
import { createNamed } from '../people/site.ts'
import { createShares } from '../people/shares.ts'
import { createTokens } from '../people/tokens.ts'
import { examine } from '../upkeep/doctor.ts'
import { createTime } from '../containers/times.ts'

/** Puts together what commands may ask for; what depends on the caller is narrowed for each call. */
export function createContexts(
  works: Works,
  commands: readonly Command[],
): (caller: Caller) => Omit<Context, 'consider'> {
  const { store, random, place, settings } = works
  const onKeys = (ownerId: string) => spreadKeys(works, ownerId)
  const storage = async (personId: string) => (await works.host(settings.hostId).files.storage(personId))?.used ?? 0
  const people = createPeople({ store, random, onKeys, storage })
  const kept = createKept({ store, files: () => works.host(settings.hostId).files })
  const keys = createKeys({ store, random, onKeys })
  const tokens = createTokens({ store, random })
  const grants = createGrants({ store })
  const groups = createGroups({ store, random })
  const invites = createInvites({ store, random })
  const connected = createConnected({ store })
  const follow = createFollow({ store })
  const quota = createQuota({ store, measure: (ownerId) => freshUse(works, ownerId) })
  const audit = createAudit({ store })
  const site = {
    ...createNamed({ store, look: (path) => works.host(settings.hostId).files.device(path) }),
    doctor: () => examine(works),
  }
  const links = createLinks({ store, random, signup: settings.signup ?? { mode: 'off' } })
  const cards = createCards({ seal: works.seal, random, adminChannel: settings.adminChannel })
  const requests = createRequests({ store, random, now: works.now, cards })
  const notify = createNotify({ store })
  const hooks = createHookContext(works, commands)
  const containers = createView(works)
  const images = createImages(works)
  const registries = createRegistries(works)
  const watch = createWatch(works, commands)
  const room = createRoom(works)
  const time = createTime(works)
  const volumes = createVolumes(works)
  const networks = createNetworks(works)
  const secrets = createSecrets(works)
  const exporting = createExport(works)
  const copying = createCopy(works)
  const compose = createCompose(works)
  const shares = createShares({ store, onShare: (container) => syncKeys(works, container) })
  return (caller) => ({
    caller,
    now: works.now(),
    place,
    commands,
    people,
    kept,
    keys,
    invites,
    sessions: connected(caller),
    outcomes: follow(caller),
    tokens,
    grants,
    groups,
    quota,
    audit,
    hooks,
    links,
    requests,
    notify,
    site,
    containers: containers(caller),
    images: images(caller),
    registries: registries(caller),
    watch: watch(caller),
    room: room(caller),
    ...time(caller),
    volumes: volumes(caller),
    networks: networks(caller),
    secrets,
    compose: compose(caller),
    files: { ...exporting(caller), ...copying(caller) },
    shares: shares(caller),
  })
}
