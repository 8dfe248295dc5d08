export { createHttp, type Http, type HttpOptions, type Limits, type Origin } from './app.ts'
export { type Served, serveHttp, type ServeOptions } from './serve.ts'
