/** Where people reach this DCM. */
export type Place = {
  /** What an ssh line shows. */
  publicHost: string
  /** The address of this machine that container ports bind to. */
  bindHost: string
  publicUrl: string
  version: string
  /** In every engine name and label of this DCM. */
  instance: string
}
