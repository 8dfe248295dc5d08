/** Writes a moment as people and logs read it: `2026-01-31 14:05 UTC`. */
export const formatTime = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
