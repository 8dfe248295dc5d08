export { createHttp, type Http, type HttpOptions, type Limits, type Origin } from './app.ts'
export { createHookRoute } from './hooks.ts'
export { type Served, serveHttp, type ServeOptions } from './serve.ts'
