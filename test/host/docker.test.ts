import { hostContract } from '../contracts/host.ts'
import { createRealHost, freePorts, freeSubnet } from '../setup/host.ts'

hostContract('the Docker Engine on this machine', async () => {
  const real = await createRealHost('ha')
  return { ...real, port: freePorts(4), subnet: freeSubnet() }
})
