import { newId } from '../model/id.ts'
import { formatVisitor } from '../model/visitor.ts'
import type { Works } from '../operation/define.ts'
import type { Chat } from './chat.ts'

/** Where the app is installed, and who has left: what platforms tell of themselves. */
export function createPlaces(works: Works): Pick<Chat, 'left' | 'installed' | 'installation' | 'cut'> {
  const { store, seal, random } = works
  return {
    async left(visitor) {
      const row = await store.identities.remove(visitor)
      if (!row) return
      await store.audit.add({
        actor: null,
        as: null,
        surface: visitor.platform,
        address: formatVisitor(visitor),
        command: 'unlink',
        target: formatVisitor(visitor),
        decision: 'done',
        requestId: newId(random),
        detail: 'The account left or was deactivated.',
      })
    },
    installed: (platform, scope, secret) =>
      store.identities.install(
        platform,
        scope,
        secret === null ? null : seal.seal(secret, `installation/${platform}/${scope}`),
      ),
    async installation(platform, scope) {
      const row = await store.identities.installation(platform, scope)
      return (
        row && {
          secret: row.sealed === null ? null : seal.open(row.sealed, `installation/${platform}/${scope}`),
          cut: row.cutAt !== null,
        }
      )
    },
    async cut(platform, scope, at = works.now()) {
      if (!(await store.identities.cut(platform, scope, at))) return
      await store.audit.add({
        actor: null,
        as: null,
        surface: platform,
        command: 'uninstalled',
        target: `${platform}:${scope}`,
        decision: 'done',
        requestId: newId(random),
      })
    },
  }
}
