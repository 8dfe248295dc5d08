import type { Engine } from '../host/engine.ts'
import { type Signal, signalling } from './inside.ts'

/** Signals what runs inside a container under this id (see `inside.ts`); resolves once it has been told. @throws HostError */
export async function signalInside(engine: Engine, engineId: string, id: string, signal: Signal): Promise<void> {
  const telling = await engine.exec(engineId, { ...signalling(id, signal), tty: null, input: false })
  for await (const _ of telling.output);
}
