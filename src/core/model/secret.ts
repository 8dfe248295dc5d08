/** A name that is a file's and could be a variable's. */
export const secretName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/

/** Secrets that one container may have. */
export const mostSecrets = 64
