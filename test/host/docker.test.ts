import { hostContract } from '../contracts/host.ts'
import { createRealHost } from '../setup/host.ts'

hostContract('the Docker Engine on this machine', async () => {
  const real = await createRealHost('ha')
  return { ...real, port: 21_410, subnet: '10.197.41' }
})
