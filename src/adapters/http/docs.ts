import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { respond, type Headers } from './answer.ts'

// Swagger UI sets style attributes on what it draws; scripts stay strict. No validator: it would ask a server elsewhere.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const page = (prefix: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>DCM HTTP API</title>
<link rel="stylesheet" href="${prefix}/docs/swagger-ui.css">
<main id="api"></main>
<script src="${prefix}/docs/swagger-ui-bundle.js"></script>
<script src="${prefix}/docs/start.js"></script>
</html>
`

const start = (prefix: string) =>
  `SwaggerUIBundle({ url: '${prefix}/openapi.json', dom_id: '#api', validatorUrl: null, deepLinking: true, docExpansion: 'none' })\n`

const files: Record<string, string> = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' }

/** The page that shows the OpenAPI document, whole from this machine. @returns undefined when there is no such file */
export async function docs(file: string, prefix: string, headers: Headers): Promise<Response | undefined> {
  if (file === '')
    return respond(page(prefix), 200, {
      ...headers,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy,
    })
  if (file === 'start.js') return respond(start(prefix), 200, { ...headers, 'Content-Type': 'text/javascript' })
  const type = Object.hasOwn(files, file) ? files[file] : undefined
  if (!type) return undefined
  const bytes = await readFile(createRequire(import.meta.url).resolve(`swagger-ui-dist/${file}`))
  return respond(bytes, 200, { ...headers, 'Content-Type': type, 'Cache-Control': 'public, max-age=86400' })
}
