type Write = (facts: Record<string, unknown>, message: string) => void

/** Where the program says what it did: never a secret. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', Write>
