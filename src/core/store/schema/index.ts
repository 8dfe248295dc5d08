/** Every table. What a column means stands beside it; the triggers that count are in drizzle/. */
export * from './hosts.ts'
export * from './people.ts'
export * from './containers.ts'
export * from './volumes.ts'
export * from './operations.ts'
export * from './chat.ts'
export * from './hooks.ts'
export * from './registries.ts'
