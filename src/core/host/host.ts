import type { Engine } from './engine.ts'
import type { Files } from './files.ts'
import type { Net } from './net.ts'

/**
 * One machine with a Docker Engine, as DCM needs it: the engine's API, the folders that containers mount, and its
 * network. All three move together when the engine is elsewhere. `docker/` is the real one; tests have a
 * stand-in, and both pass `test/contracts/host.ts`.
 *
 * Every method has a deadline of its own. What the engine or the machine refuses is a `HostError`; nothing else is thrown.
 */
export type Host = { id: string; engine: Engine; files: Files; net: Net }
