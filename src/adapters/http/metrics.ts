import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/**
 * What a monitor may know: requests by route pattern and status, operations under way, and the process. Nothing of
 * members: no names, no ids, no addresses, and no path as it was sent.
 */
export function createMetrics(open: () => Promise<{ open: number; ready: boolean }>, registry = new Registry()) {
  // By default it wakes the process up a hundred times a second, which is half of what an idle DCM does.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const requests = new Histogram({
    name: 'dcm_http_request_seconds',
    help: 'Seconds until the answer to an HTTP request began, by method, route pattern and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 60, 300],
    registers: [registry],
  })
  const ready = new Gauge({
    name: 'dcm_ready',
    help: '1 when everything that a call needs answers.',
    registers: [registry],
  })
  new Gauge({
    name: 'dcm_operations_open',
    help: 'Operations that are under way.',
    registers: [registry],
    async collect() {
      const now = await open()
      this.set(now.open)
      ready.set(now.ready ? 1 : 0)
    },
  })
  return {
    request: (method: string, route: string, status: number, seconds: number) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    type: registry.contentType,
    text: () => registry.metrics(),
  }
}
