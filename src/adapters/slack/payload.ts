import { isTrue, type Origin } from './tenant.ts'

/** A part of a payload, of which nothing is taken for granted. */
export type Part = Record<string, unknown>
export const part = (value: unknown): Part => (typeof value === 'object' && value !== null ? (value as Part) : {})
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** Where an action or a form comes from. */
export function originOf(from: Part): Origin {
  const [team, enterprise] = [part(from['team']), part(from['enterprise'])]
  return {
    teamId: text(team['id']) ?? text(part(from['view'])['app_installed_team_id']),
    enterpriseId: text(enterprise['id']) ?? text(team['enterprise_id']),
    orgInstall: isTrue(from['is_enterprise_install']),
  }
}

/** What every event says of where it comes from, and what tells it from others. */
export function envelope(body: Part): { origin: Origin; id: string } {
  const authorization = part((Array.isArray(body['authorizations']) ? body['authorizations'] : [])[0])
  return {
    origin: {
      teamId: text(authorization['team_id']) ?? text(body['team_id']),
      enterpriseId: text(authorization['enterprise_id']) ?? text(body['enterprise_id']),
      orgInstall: isTrue(authorization['is_enterprise_install']),
    },
    id: text(body['event_id']) ?? '',
  }
}

/** Undoes the entities that Slack puts into the text of messages (docs.slack.dev, messaging/formatting-message-text). */
export const decode = (line: string): string => line.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')
