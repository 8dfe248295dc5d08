/** What members hear of by themselves, in their chat; each kind can be turned off. */
export const noticeKinds = {
  died: 'A container ended by itself.',
  oom: 'A container ran out of memory.',
  missing: 'A container is gone from Docker.',
  unhealthy: 'A container is in trouble: its SSH server does not answer, or it was stopped to save the host.',
  expiry: 'A container of yours ends soon, or has come to the end that it was given.',
  idle: 'A container of yours is not used and is about to be stopped, or was.',
  schedule: 'Something that you scheduled could not be done.',
  grant: 'Something granted to you ends soon.',
  port: 'A public port of yours ends soon.',
  hook: 'A webhook of yours has run, or could not.',
  request: 'An admin decided on what you asked for.',
} as const

export type NoticeKind = keyof typeof noticeKinds
