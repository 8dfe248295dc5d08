import { expect, test } from 'vitest'
import { openapi } from '../../../src/adapters/http/openapi.ts'
import { commands } from '../../stand-ins/door.ts'

type Operation = {
  operationId: string
  summary: string
  requestBody?: { required: boolean; content: Record<string, { schema: Record<string, unknown> }> }
  parameters?: { name: string; required: boolean }[]
  responses: Record<string, unknown>
}
const document = openapi(commands, { version: '1.2.3', publicUrl: 'https://dcm.example/x' }) as {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

test('every command is a path, and GET where it changes nothing', () => {
  for (const { name, changes, about } of commands) {
    const path = document.paths[`/v1/${name.replaceAll(' ', '/')}`]!
    expect(Object.keys(path)).toEqual(changes ? ['post'] : ['get', 'post'])
    expect(path.post!.summary).toBe(about)
  }
  expect(Object.keys(document.paths).slice(-4)).toEqual([
    '/v1/line',
    '/v1/line/complete',
    '/v1/hooks/{id}',
    '/v1/operations/{id}',
  ])
})

test('arguments are described by their kinds', () => {
  const { schema } = document.paths['/v1/create']!.post!.requestBody!.content['application/json']!
  expect(schema).toMatchObject({
    additionalProperties: false,
    required: ['name', 'image'],
    properties: {
      name: { type: 'string', description: 'What to call it.' },
      env: { type: 'array', items: { type: 'string' } },
      restart: { enum: ['no', 'unless-stopped'], default: 'no' },
      cmd: { type: 'array' },
      yes: { type: 'boolean' },
      wait: { minimum: 0, maximum: 300 },
    },
  })
  expect(document.paths['/v1/logs']!.get!.parameters).toContainEqual(
    expect.objectContaining({ name: 'name', in: 'query', required: true }),
  )
})

test('what a command gives is in its answer', () => {
  const text = JSON.stringify(document.paths['/v1/ps']!.get!.responses)
  expect(text).toContain('"state":{"type":"string","enum":["running","exited"]}')
  expect(text).toContain('"createdAt":{"type":"string","format":"date-time"}')
})

test('every operation has its own id and every reference leads somewhere', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const [, kind, name] of JSON.stringify(document).matchAll(/"#\/components\/(\w+)\/(\w+)"/g))
    expect((document.components as Record<string, Record<string, unknown>>)[kind!]![name!], name).toBeDefined()
})
