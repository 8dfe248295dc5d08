import type { Quota } from './quota.ts'

/** Members who get something together: what its quota and its grants give holds for each of them. */
export type Group = { id: string; name: string; quota: Partial<Quota>; createdAt: Date }
