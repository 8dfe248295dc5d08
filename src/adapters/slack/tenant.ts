import type { Visitor } from '../../core/model/visitor.ts'

/** Where a payload comes from, in the many shapes that Slack has for it. */
export type Origin = { teamId?: string | undefined; enterpriseId?: string | undefined; orgInstall: boolean }

/** The key of an installation: the organisation where the app is installed for all of it, else the workspace. */
export const tenantOf = ({ teamId, enterpriseId, orgInstall }: Origin): string | undefined =>
  orgInstall && enterpriseId ? enterpriseId : teamId

/** `is_enterprise_install` is a boolean, or text in slash commands. */
export const isTrue = (value: unknown): boolean => value === true || value === 'true'

/**
 * Who somebody is. A guest by Slack Connect belongs to another workspace than the one they act in: their id is keyed by
 * their own, so that it is never taken for a member of this one. `known` says whether a workspace belongs to an organisation.
 */
export async function visitorOf(
  origin: Origin,
  user: { id: string; teamId?: string | undefined; label: string },
  known: (team: string, enterprise: string) => Promise<boolean>,
): Promise<Visitor | undefined> {
  const tenant = tenantOf(origin)
  if (!tenant) return undefined
  const { teamId: home } = user
  const here =
    home === undefined ||
    home === origin.teamId ||
    home === tenant ||
    (origin.enterpriseId !== undefined &&
      (home === origin.enterpriseId || (origin.orgInstall && (await known(home, origin.enterpriseId)))))
  return { platform: 'slack', scope: here ? tenant : home, user: user.id, label: user.label.slice(0, 80) }
}
