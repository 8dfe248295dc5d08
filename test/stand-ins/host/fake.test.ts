import { describe, expect, test } from 'vitest'
import { createFakeHost } from './fake.ts'
import { faultOf, hostContract } from '../../contracts/host.ts'

hostContract('the fake', async () => {
  const host = createFakeHost({ instance: 'fk' })
  const { engineId } = host.fake.addImage('debian:bookworm-slim')
  return { host, instance: 'fk', imageId: engineId, port: 20_000, subnet: '10.1.1', close: async () => undefined }
})

describe('the fake: what a test can do to it', () => {
  test('a failure before the effect leaves nothing; one after it leaves all of it', async () => {
    const host = createFakeHost()
    host.fake.fail('engine.createNetwork', 'down')
    host.fake.fail('files.placeRun', 'full', { after: true, times: 2 })
    const network = { name: 'dcm-fake-n', bridge: 'dcmn', subnet: '10.1.1.0/26', ownerId: 'o' }
    expect(await faultOf(() => host.engine.createNetwork(network))).toBe('down')
    expect(host.fake.networkNames()).toEqual([])
    await host.engine.createNetwork(network)
    expect(host.fake.networkNames()).toEqual(['dcm-fake-n'])
    const folder = { id: 'a', hostKey: '', authorizedKeys: '' }
    expect(await faultOf(() => host.files.placeRun(folder))).toBe('full')
    expect(await faultOf(() => host.files.placeRun(folder))).toBe('full')
    expect(host.fake.run('a')).toEqual(folder)
    await host.files.placeRun(folder)
    expect(host.fake.calls.map((call) => call.method)).toEqual([
      'engine.createNetwork',
      'engine.createNetwork',
      'files.placeRun',
      'files.placeRun',
      'files.placeRun',
    ])
  })

  test('a held call waits, and an engine that is away says so and ends its event streams', async () => {
    const host = createFakeHost()
    const release = host.fake.hold('engine.ping')
    let over = false
    const ping = host.engine.ping().then(() => (over = true))
    await Promise.resolve()
    expect(over).toBe(false)
    release()
    await ping
    expect(over).toBe(true)
    const ready = Promise.withResolvers<void>()
    const end = (async () => {
      for await (const _ of host.engine.events(new AbortController().signal, ready.resolve))
        throw new Error('There is no event.')
    })()
    await ready.promise
    host.fake.away(true)
    await end
    expect(await faultOf(() => host.engine.list())).toBe('down')
    host.fake.away(false)
    expect(await host.engine.list()).toEqual([])
  })
})
