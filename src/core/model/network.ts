/** A network of a member's own, beside the main one that all of their containers are on unless they were made on another. */
export type Network = {
  id: string
  ownerId: string
  hostId: string
  name: string
  /** The composition that it was made with, and goes with. */
  project: string | null
  createdAt: Date
}

/** A network of a member's own, as one asks for it. */
export type NetworkRef = { id: string; name: string }

/** A network as a container has it: what its member calls it, and its name in the engine. */
export type Joined = { id: string; name: string; engineName: string }

/** A network that a container is on because its composition says so; its owner's main one has the owner's id. */
export type Placed = NetworkRef & {
  /** By which it is found there beside its own name and that of its service. */
  aliases: string[]
}

/** What Docker calls the host's own network and another container's: never given, so nothing is called so. */
export const foreignNetwork = (text: string): boolean =>
  /^(?:host|none|bridge|default|(?:container|ns|service):.*)$/.test(text)
