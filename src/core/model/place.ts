/** Where people reach this DCM. */
export type Place = {
  /** What an ssh line shows. */
  publicHost: string
  /** The address of this machine that container ports bind to. */
  bindHost: string
  publicUrl: string
  /** The SSH door, where it is open: its port, and its host key as one line and as a fingerprint. */
  ssh?: { port: number; hostKey: string; fingerprint: string } | null
  version: string
  /** In every engine name and label of this DCM. */
  instance: string
}
