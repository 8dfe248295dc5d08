const line = /^dcm: command exited with code (\d{1,3})$/

/**
 * Finds how the command beside sshd last ended, in the tail of a container's log: the line that the entry program
 * prints. A member's program can print it too, and deceives nobody but its owner.
 * @returns the exit code (128 and the signal's number for one that a signal ended), or null when there is no such line
 */
export function commandExit(log: string): number | null {
  const lines = log.split('\n')
  for (let at = lines.length - 1; at >= 0; at--) {
    const match = line.exec(lines[at]!.replace(/\r$/, ''))
    if (match && Number(match[1]) < 256) return Number(match[1])
  }
  return null
}
