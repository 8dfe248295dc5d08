import { afterAll, beforeAll, expect, test } from 'vitest'
import { HostError } from '../../src/core/host/fault.ts'
import { parseRemote } from '../../src/core/model/registry.ts'
import { clearHost, createMember, createRealHost, type RealHost } from '../setup/host.ts'
import { account, type Registry, startRegistry } from '../setup/registry.ts'

let [real, open, shut]: [RealHost, Registry, Registry] = [] as never
let imageId: string
beforeAll(async () => {
  ;[real, open, shut] = await Promise.all([createRealHost('hr'), startRegistry(), startRegistry({ locked: true })])
  const { engineId } = await (await createMember(real, 'o1')).make()
  const ref = `dcm/${real.instance}/mine:latest`
  ;({ engineId: imageId } = await real.host.engine.commit(engineId, { ref, message: '', author: 'o1', blankEnv: [] }))
  await real.host.engine.remove(engineId)
})
afterAll(async () => {
  if (real) await clearHost(real)
  await open?.[Symbol.asyncDispose]()
  await shut?.[Symbol.asyncDispose]()
  await real?.close()
})

const at = (text: string) => ({ ...parseRemote(text)!, digest: null, tag: parseRemote(text)!.tag! })
const quiet = () => undefined
const reasonOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => new Error('it was not refused'),
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(HostError)
  return (error as HostError).reason
}

test('an image goes to a registry and comes back by its digest, and no name of either stays', async () => {
  const { engine } = real.host
  const remote = at(`${open.host}/alice/web:v1`)
  const moved: number[] = []
  await engine.push(imageId, remote, null, ({ done }) => moved.push(done))
  await engine.release(remote, imageId)
  expect(await engine.image(`${open.host}/alice/web:v1`)).toBeUndefined()
  expect(Math.max(...moved)).toBeGreaterThan(1_000_000)
  const { digest, platforms } = await engine.resolve(remote, null)
  expect(platforms).toEqual(['linux/amd64'])
  const exact = { ...remote, digest }
  const image = await engine.pull(exact, null, quiet)
  expect(image.engineId).toBe(imageId)
  expect(await engine.image(`${open.host}/alice/web:v1`)).toBeUndefined()
  await engine.release(exact, image.engineId)
  expect(await engine.image(`${open.host}/alice/web@${digest}`)).toBeUndefined()
  expect(await engine.image(imageId)).toBeDefined()
})

test('H03 a password goes with the one call, and what a registry says no with is told without addresses', async () => {
  const { engine } = real.host
  const remote = at(`${shut.host}/al/web:v1`)
  expect(await reasonOf(engine.login(shut.host, { ...account, password: 'wrong' }))).toMatch(/unauthorized|incorrect/i)
  const credential = await engine.login(shut.host, account)
  expect(await reasonOf(engine.push(imageId, remote, null, quiet))).toMatch(/no basic auth|unauthor|denied/i)
  await engine.push(imageId, remote, credential, quiet)
  await engine.release(remote, imageId)
  // The engine keeps none: the next without it is refused.
  expect(await reasonOf(engine.resolve(remote, null))).toMatch(/no basic auth|unauthor|denied/i)
  const { digest } = await engine.resolve(remote, credential)
  expect(await reasonOf(engine.pull({ ...remote, digest }, null, quiet))).toMatch(/no basic auth|unauthor|denied/i)
  expect(await reasonOf(engine.resolve(at(`${open.host}/no/such:1`), null))).toMatch(/manifest unknown|not found/i)
  const away = await reasonOf(engine.resolve(at('127.0.0.1:9/x:1'), null))
  expect(away).toMatch(/connection refused/)
  expect(away).not.toMatch(/http:|:53/)
})

test('a pull that is given up leaves nothing', async () => {
  const { engine } = real.host
  const remote = at(`${open.host}/alice/again:v1`)
  await engine.push(imageId, remote, null, quiet)
  await engine.release(remote, imageId)
  const { digest } = await engine.resolve(remote, null)
  const stop = new AbortController()
  stop.abort()
  await expect(engine.pull({ ...remote, digest }, null, quiet, stop.signal)).rejects.toMatchObject({ fault: 'down' })
  expect(await engine.image(`${open.host}/alice/again@${digest}`)).toBeUndefined()
})

test("B09 an image with DCM's own labels does not come in", async () => {
  const { engine } = real.host
  const remote = at(`${open.host}/alice/built:v1`)
  await engine.push(real.imageId, remote, null, quiet)
  await engine.release(remote, real.imageId)
  const { digest } = await engine.resolve(remote, null)
  expect(await reasonOf(engine.pull({ ...remote, digest }, null, quiet))).toContain("DCM's own labels")
  await engine.release({ ...remote, digest }, real.imageId)
})
