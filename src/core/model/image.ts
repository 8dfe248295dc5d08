/** An image that a member may create containers from: offered by the admins (`ownerId` null) or the member's own. */
export type Image = {
  id: string
  ownerId: string | null
  hostId: string
  /** `name:tag`, unique for one owner. */
  ref: string
  /** The engine's full id, `sha256:` and 64 hex digits. */
  engineId: string
  /** The name that DCM gave it in the engine, so that deleting removes this owner's tag alone. */
  engineRef: string
  /** Bytes, all layers. */
  size: number
  layers: number
  /** Whether it holds an OpenSSH server. */
  ssh: boolean
  /** Offered only to members with a grant `image:REF`. */
  restricted: boolean
  about: string
  /** Name of the container it was committed from; null for an offered one. */
  source: string | null
  /** What its members should use from now on; null while it is not deprecated. */
  useInstead: string | null
  createdAt: Date
}

/** What an image is and would run, without the values of its variables. */
export type Anatomy = {
  os: string
  arch: string
  user: string
  folder: string
  /** `80/tcp` */
  exposes: string[]
  /** Names of its variables. */
  env: string[]
  entrypoint: string[]
  command: string[]
  labels: Record<string, string>
  /** Digests of its layers, lowest first: an image made from another begins with all of that one's. */
  chain: string[]
  /** Instructions (ONBUILD) that it adds to whatever is built from it. */
  triggers: number
  /** Null where its maker left it out. */
  createdAt: Date | null
}

/** What an image was made to run; nothing where that is a bare shell, which would end at once. */
export function madeToRun({ entrypoint, command }: Pick<Anatomy, 'entrypoint' | 'command'>): string[] {
  // An image that DCM saved has env(1) where there is no entrypoint.
  const argv = [...(entrypoint.join(' ') === '/usr/bin/env' ? [] : entrypoint), ...command]
  return argv.length === 1 && /^(?:.*\/)?(?:ba|da)?sh$/.test(argv[0]!) ? [] : argv
}
