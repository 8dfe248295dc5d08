import { describe, expect, test } from 'vitest'
import { createApp, type Sent } from './setup.ts'

type Row = Sent & { says: string; status: number; has?: string; hasNot?: string }

const deep = (levels: number) => `{"name":${'['.repeat(levels)}${']'.repeat(levels)}}`

const rows: Record<string, Row[]> = {
  'every command is a route': [
    { says: 'GET reads', as: 'ann', path: '/v1/ps', status: 200, has: 'You have 2 containers.' },
    { says: 'POST reads too', as: 'ann', path: '/v1/ps', body: {}, status: 200, has: '"data":[{"name":"web"' },
    { says: 'a body may be absent', as: 'ann', method: 'POST', path: '/v1/ps', status: 200, has: 'web' },
    { says: 'a flag in a query needs no value', as: 'ann', path: '/v1/ps?all', status: 200, has: 'web' },
    { says: 'HEAD has no body', as: 'ann', method: 'HEAD', path: '/v1/ps', status: 200, hasNot: 'web' },
    { says: 'a query may name the wait', as: 'ann', path: '/v1/ps?wait=5', status: 200, has: 'web' },
    { says: 'words are joined by /', as: 'ann', path: '/v1/key/add', body: { key: 'ssh-ed25519 AAAA' }, status: 200, has: 'Added the key.' },
    { says: 'arguments are JSON', as: 'ann', path: '/v1/create', body: { name: 'api', image: 'debian', env: ['A=1'] }, status: 200, has: '"env":["A=1"]' },
    { says: 'a change is not read by GET', as: 'ann', path: '/v1/create?name=api&image=debian', status: 405, has: 'takes POST' },
    { says: 'nor by PUT', as: 'ann', method: 'PUT', path: '/v1/ps', status: 405 },
    { says: 'an unknown argument is refused with the nearest', as: 'ann', path: '/v1/create', body: { name: 'api', imgae: 'debian' }, status: 400, has: 'did you mean \\"image\\"' },
    { says: 'in a query too', as: 'ann', path: '/v1/ps?al=1', status: 400, has: 'did you mean' },
    { says: 'an unknown route gets the nearest', as: 'ann', path: '/v1/craete', body: {}, status: 404, has: 'did you mean /v1/create?' },
    { says: 'of several words too', as: 'ann', path: '/v1/keys/add', body: {}, status: 404, has: '/v1/key/add' },
    { says: 'any other path', path: '/admin', status: 404, has: '/openapi.json' },
    { says: 'a path that climbs', as: 'ann', path: '/v1/ps/%2e%2e/%2e%2e/etc', status: 404 },
  ],
  'lines': [
    { says: 'a typed line', as: 'ann', path: '/v1/line', body: { line: 'create api --image "debian"' }, status: 200, has: 'Made api.' },
    { says: 'words that are split', as: 'ann', path: '/v1/line', body: { words: ['create', 'api', '--image', 'debian', '--', 'sh', '-c', 'echo "a  b"'] }, status: 200, has: 'echo \\"a  b\\"' },
    { says: 'neither', as: 'ann', path: '/v1/line', body: {}, status: 400, has: 'create web --image debian' },
    { says: 'both', as: 'ann', path: '/v1/line', body: { line: 'ps', words: ['ps'] }, status: 400 },
    { says: 'words that are not text', as: 'ann', path: '/v1/line', body: { words: ['ps', 1] }, status: 400 },
    { says: 'C07 fields beside the line', as: 'ann', path: '/v1/line', body: { line: 'ps', as: 'bob' }, status: 400, has: 'belongs into the line' },
    { says: 'a line with a typo', as: 'ann', path: '/v1/line', body: { line: 'crate web' }, status: 400, has: 'did you mean create' },
    { says: 'completion of a command', as: 'ann', path: '/v1/line/complete', body: { line: 'cre' }, status: 200, has: '{"candidates":["create"]}' },
    { says: 'completion of an argument, among the own', as: 'ann', path: '/v1/line/complete', body: { words: ['rm', ''] }, status: 200, has: '["web","db"]', hasNot: 'bob' },
    { says: 'completion needs a token', path: '/v1/line/complete', body: { line: '' }, status: 401 },
  ],
  'who is calling (H03, H04)': [
    { says: 'H04 no token', path: '/v1/ps', status: 401, has: 'dcm token new' },
    { says: 'H04 a wrong one', path: '/v1/ps', headers: { authorization: 'Bearer nope' }, status: 401, has: 'not good', hasNot: 'nope' },
    { says: 'H04 a re-cased one', path: '/v1/ps', headers: { authorization: 'Bearer ANN-TOKEN' }, status: 401 },
    { says: 'H04 a truncated one', path: '/v1/ps', headers: { authorization: 'Bearer ann-toke' }, status: 401 },
    { says: 'H04 an empty one', path: '/v1/ps', headers: { authorization: 'Bearer ' }, status: 401 },
    { says: 'H04 one with a space in it', path: '/v1/ps', headers: { authorization: 'Bearer ann-token x' }, status: 401 },
    { says: 'H04 another scheme', path: '/v1/ps', headers: { authorization: 'Basic YW5uLXRva2Vu' }, status: 401, hasNot: 'YW5u' },
    { says: 'H04 a token in the query is no token', path: '/v1/ps?token=ann-token', status: 401, hasNot: 'ann-token' },
    { says: 'the scheme in any case', path: '/v1/ps', headers: { authorization: 'bearer ann-token' }, status: 200, has: 'web' },
    { says: 'H03 an unknown command needs a token as well', path: '/v1/line', body: { line: 'help' }, status: 401 },
    { says: 'the local socket is admin', path: '/v1/user/ls', origin: { local: true }, status: 200, has: 'admin' },
    { says: 'a token on the local socket counts as itself', path: '/v1/user/ls', as: 'ann', origin: { local: true }, status: 403, has: 'for admins' },
    { says: 'a header cannot make a request local', path: '/v1/ps', headers: { 'x-forwarded-for': 'local', 'x-local': 'true' }, status: 401 },
    { says: 'the service under /v1/ is closed without a token even where the body is bad', path: '/v1/create', body: 'not json', status: 401 },
  ],
  'what is not yours (H05, C07)': [
    { says: 'H05 another member\'s container', as: 'ann', path: '/v1/logs?name=secret-of-bob', status: 404, has: 'You have no container called secret-of-bob.' },
    { says: 'H05 another member\'s operation', as: 'ann', path: '/v1/operations/op-1', status: 404, has: 'You have no operation op-1.' },
    { says: 'C07 an owner field', as: 'ann', path: '/v1/create', body: { name: 'x', image: 'debian', owner: 'bob' }, status: 400, has: 'no argument' },
    { says: 'C07 a user field', as: 'ann', path: '/v1/ps?user=bob', status: 400, hasNot: 'secret-of-bob' },
    { says: 'C07 a userId field', as: 'ann', path: '/v1/ps', body: { userId: 'p-bob' }, status: 400, hasNot: 'secret-of-bob' },
    { says: 'C07 as, by who is no admin', as: 'ann', path: '/v1/ps', body: { as: 'bob' }, status: 403, hasNot: 'secret-of-bob' },
    { says: 'C07 as, in a query', as: 'ann', path: '/v1/ps?as=bob', status: 403, hasNot: 'secret-of-bob' },
    { says: 'an admin may', path: '/v1/ps?as=bob', origin: { local: true }, status: 200, has: 'secret-of-bob' },
  ],
  'hostile bodies (A12, C06, H06)': [
    { says: 'A12 hostconfig', as: 'ann', path: '/v1/create', body: { name: 'x', image: 'debian', hostconfig: { privileged: true } }, status: 400, has: 'no argument' },
    { says: 'A12 PRIVILEGED', as: 'ann', path: '/v1/create', body: { name: 'x', image: 'debian', PRIVILEGED: true }, status: 400, has: 'no argument' },
    { says: 'A12 a key twice', as: 'ann', path: '/v1/create', body: '{"name":"x","image":"debian","name":"y"}', status: 400, has: 'twice' },
    { says: 'A12 a key twice, once escaped', as: 'ann', path: '/v1/create', body: '{"name":"x","\\u006eame":"y"}', status: 400, has: 'twice' },
    { says: 'A12 a key twice, further in', as: 'ann', path: '/v1/create', body: '{"name":{"a":[{"b":1,"b":2}]}}', status: 400, has: 'twice' },
    { says: 'A12 __proto__', as: 'ann', path: '/v1/create', body: '{"__proto__":{"yes":true},"name":"x"}', status: 400, has: '__proto__' },
    { says: 'A12 __proto__ escaped', as: 'ann', path: '/v1/create', body: '{"\\u005f_proto__":1}', status: 400, has: '__proto__' },
    { says: 'A12 __proto__ in a query', as: 'ann', path: '/v1/ps?__proto__=1', status: 400 },
    { says: 'A12 constructor.prototype', as: 'ann', path: '/v1/create', body: '{"constructor":{"prototype":{"yes":true}}}', status: 400, has: 'no argument' },
    { says: 'A12 an object where text belongs', as: 'ann', path: '/v1/create', body: { name: { toString: 'x' } }, status: 400, has: 'takes text' },
    { says: 'C06 a name with a query in it is a name', as: 'ann', path: '/v1/logs', body: { name: 'x?force=1&v=1' }, status: 404, has: 'You have no container called' },
    { says: 'C06 a name that climbs', as: 'ann', path: '/v1/logs?name=..%2Fimages%2Fy', status: 404 },
    { says: 'C06 an operation that climbs', as: 'ann', path: '/v1/operations/..%2fps', status: 404 },
    { says: 'H06 32 levels are read', as: 'ann', path: '/v1/logs', body: deep(31), status: 400, has: 'one value' },
    { says: 'H06 33 are not', as: 'ann', path: '/v1/logs', body: deep(32), status: 400, has: 'deeper than 32' },
    { says: 'H06 100,000 levels', as: 'ann', path: '/v1/logs', body: deep(100_000), status: 400, has: 'deeper than 32' },
    { says: 'H06 unclosed everything', as: 'ann', path: '/v1/logs', body: '[{"a', status: 400, has: 'not valid JSON' },
    { says: 'H06 an unclosed escape', as: 'ann', path: '/v1/logs', body: '{"a\\', status: 400, has: 'not valid JSON' },
    { says: 'H06 2 MB', as: 'ann', path: '/v1/logs', body: `{"name":"${'x'.repeat(2_000_000)}"}`, status: 413, has: 'larger than 1048576 bytes' },
    { says: 'H06 a list', as: 'ann', path: '/v1/logs', body: '[]', status: 400, has: 'JSON object' },
    { says: 'H06 null', as: 'ann', path: '/v1/logs', body: 'null', status: 400, has: 'JSON object' },
    { says: 'H06 not JSON', as: 'ann', path: '/v1/logs', body: '{', status: 400, has: 'not valid JSON' },
    { says: 'H06 gzip', as: 'ann', path: '/v1/logs', body: '{}', headers: { 'content-encoding': 'gzip' }, status: 415, has: 'compressed' },
    { says: 'H06 a form', as: 'ann', path: '/v1/logs', body: 'name=web', headers: { 'content-type': 'application/x-www-form-urlencoded' }, status: 415, has: 'must be JSON' },
    { says: 'H06 another charset', as: 'ann', path: '/v1/logs', body: '{}', headers: { 'content-type': 'application/json; charset=utf-16' }, status: 415 },
    { says: 'utf-8 may be said', as: 'ann', path: '/v1/logs', body: { name: 'web' }, headers: { 'content-type': 'application/json; charset=UTF-8' }, status: 200 },
    { says: 'a wait out of range', as: 'ann', path: '/v1/create', body: { name: 'x', image: 'debian', wait: 301 }, status: 400, has: 'from 0 to 300' },
    { says: 'a wait that is no number', as: 'ann', path: '/v1/ps?wait=1e2', status: 400, has: 'from 0 to 300' },
    { says: 'a key that is too long', as: 'ann', path: '/v1/key/add', body: { key: 'x' }, headers: { 'idempotency-key': 'k'.repeat(256) }, status: 400, has: '1 to 255' },
    { says: 'a key with a space', as: 'ann', path: '/v1/key/add', body: { key: 'x' }, headers: { 'idempotency-key': 'a b' }, status: 400, has: 'visible ASCII' },
    { says: 'an empty key', as: 'ann', path: '/v1/key/add', body: { key: 'x' }, headers: { 'idempotency-key': '' }, status: 400, has: '1 to 255' },
  ],
  'outside of /v1/ (H10)': [
    { says: 'alive', path: '/healthz', status: 200, has: '{"alive":true,"version":"1.2.3"}' },
    { says: 'ready', path: '/readyz', status: 200, has: '{"ready":true,"settled":true,"open":0,"problems":[]}' },
    { says: 'the document', path: '/openapi.json', status: 200, has: '"/v1/create"' },
    { says: 'the page', path: '/docs', status: 200, has: '/docs/swagger-ui-bundle.js', hasNot: 'https://' },
    { says: 'its style', path: '/docs/swagger-ui.css', status: 200, has: '.swagger-ui' },
    { says: 'nothing else of that package', path: '/docs/package.json', status: 404 },
    { says: 'nor above it', path: '/docs/..%2f..%2fpackage.json', status: 404 },
    { says: 'nor of the prototype', path: '/docs/constructor', status: 404 },
  ],
}

for (const [about, cases] of Object.entries(rows))
  describe(about, () => {
    test.each(cases)('$says', async ({ status, has, hasNot, says: _, ...sent }) => {
      const { ask, lines } = createApp()
      const { response, text, json } = await ask(sent)
      expect(response.status, text).toBe(status)
      if (has !== undefined) expect(text).toContain(has)
      if (hasNot !== undefined) expect(text).not.toContain(hasNot)
      if (sent.method !== 'HEAD' && status >= 400) expect(json).toMatchObject({ tone: 'error', text: expect.stringMatching(/[.?]( Usage: .+)?$/s) as string, error: expect.any(String) as string })
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      for (const line of lines) expect(line).not.toMatch(/ann-token|bob-token|Bearer [^[]/)
    })
  })
