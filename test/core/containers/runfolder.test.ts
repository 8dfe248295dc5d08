import { expect, test } from 'vitest'
import { syncKeys, syncSecrets } from '../../../src/core/containers/runfolder.ts'
import { HostError } from '../../../src/core/host/fault.ts'

type Deps = Parameters<typeof syncSecrets>[0]

/** A store that answers with what is the truth then, and a host that writes down what it is given. */
function createDeps(met: (count: number) => void) {
  const written: unknown[] = []
  const truth = { key: 'A', secret: 'one' }
  const write = async (_: string, value: unknown) => {
    written.push(value)
    met(written.length)
  }
  const deps = {
    store: {
      keys: { into: async () => [{ type: 'ssh-ed25519', blob: truth.key, expiresAt: null }] },
      secrets: { of: async () => [{ name: 'TOKEN', sealed: truth.secret }] },
    },
    seal: { open: (text: string) => text },
    host: () => ({ files: { writeKeys: write, writeSecrets: write } }),
  } as unknown as Deps
  return { deps, truth, written }
}
const container = { id: 'c1', hostId: 'local' }

test('what changes while it is written is written again, and what does not is written once', async () => {
  const { deps, truth, written } = createDeps((count) => {
    if (count === 1) truth.key = 'B'
    if (count === 3) truth.secret = 'two'
  })
  await syncKeys(deps, container)
  await syncSecrets(deps, container)
  expect(written).toEqual(['ssh-ed25519 A\n', 'ssh-ed25519 B\n', { TOKEN: 'one' }, { TOKEN: 'two' }])
})

test('a container without a folder needs nothing yet, and any other failure is told', async () => {
  const failing = (fault: 'gone' | 'down') =>
    createDeps(() => {
      throw new HostError(fault, 'no')
    })
  for (const sync of [syncKeys, syncSecrets]) {
    const gone = failing('gone')
    await sync(gone.deps, container)
    expect(gone.written).toHaveLength(1)
    await expect(sync(failing('down').deps, container)).rejects.toMatchObject({ fault: 'down' })
  }
})
