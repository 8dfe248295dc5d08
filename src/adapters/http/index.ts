export { createHttp, type Http, type HttpOptions } from './app.ts'
export { createHookRoute } from './hooks.ts'
export { type Served, serveHttp, type ServeOptions } from './serve.ts'
export type { Limits, Origin } from './turn.ts'
