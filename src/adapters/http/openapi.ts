import { toJSONSchema } from 'zod'
import type { Arg, Command } from '../../core/command/define.ts'
import { usage } from '../../core/command/help.ts'
import { kinds } from '../../core/command/kinds.ts'
import { reserved } from '../../core/command/parse.ts'
import { errorCodes } from '../../core/reply/error.ts'

type Schema = Record<string, unknown>

const text = { type: 'string' }
const object = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required } : {}),
})

/** How long a request waits, for the bodies and queries that take it. */
const wait: Schema = {
  type: 'number',
  minimum: 0,
  maximum: 300,
  default: 30,
  description: 'Seconds to wait for the outcome; then the answer is 202 with the operation.',
}

function argSchema(arg: Arg): Schema {
  const one: Schema = { ...kinds[arg.kind].schema, ...(arg.of ? { enum: [...arg.of] } : {}) }
  const about = { description: arg.about, ...(arg.default === undefined ? {} : { default: arg.default }) }
  return arg.many || arg.each || arg.rest ? { type: 'array', items: one, ...about } : { ...one, ...about }
}

const isRequired = (arg: Arg) => !arg.optional && arg.default === undefined && arg.kind !== 'flag' && !arg.rest

/** The arguments of a command, with those that every command takes. `json` is for the local command alone. */
function properties(command: Command): Record<string, Schema> {
  const shared = command.changes ? [reserved.as, reserved.yes, reserved['dry-run']] : [reserved.as]
  const names = command.changes ? ['as', 'yes', 'dry-run'] : ['as']
  return {
    ...Object.fromEntries(Object.entries(command.args).map(([name, arg]) => [name, argSchema(arg)])),
    ...Object.fromEntries(names.map((name, at) => [name, argSchema(shared[at]!)])),
    wait,
  }
}

const required = (command: Command) =>
  Object.entries(command.args)
    .filter(([, arg]) => isRequired(arg))
    .map(([name]) => name)

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: Schema) => ({ 'application/json': { schema } })

function replySchema(command: Command): Schema {
  if (!command.gives) return ref('Reply')
  const { $schema: _, ...data } = toJSONSchema(command.gives, {
    unrepresentable: 'any',
    // JSON has no dates: they travel as text.
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
    },
  })
  return { allOf: [ref('Reply'), object({ data })] }
}

function responses(schema: Schema, goesOn: boolean): Schema {
  return {
    200: { description: 'The Reply.', content: { ...json(schema), 'text/event-stream': { schema: text } } },
    ...(goesOn
      ? {
          202: {
            description: 'It goes on; `operation` names it and Location is where to ask.',
            headers: { Location: { schema: text } },
            content: json(ref('Reply')),
          },
        }
      : {}),
    default: {
      description: 'A refusal or a failure: `text` says what and what to do, `error` is its code.',
      content: json(ref('Reply')),
    },
  }
}

const about = (command: Command) =>
  [
    `Typed: \`${usage(command)}\`.`,
    ...(command.needs === 'admin' ? ['For admins.'] : []),
    ...(command.examples ?? []).map((line) => `\`${line}\``),
  ].join('\n\n')

function post(command: Command): Schema {
  return {
    operationId: command.name.replaceAll(' ', '-'),
    summary: command.about,
    description: about(command),
    tags: [command.name.split(' ')[0]!],
    ...(parameters(command).length > 0 ? { parameters: parameters(command) } : {}),
    requestBody: {
      required: required(command).length > 0,
      content: {
        ...json({ ...object(properties(command), required(command)), additionalProperties: false }),
        ...(command.streams ? tar : {}),
      },
    },
    responses:
      command.streams && !command.begins
        ? streams(replySchema(command))
        : responses(replySchema(command), !!command.changes),
  }
}

const tar = { 'application/x-tar': { schema: { type: 'string', format: 'binary' } } }

/** Beside the body: a key, and of a command that takes a stream the arguments, which with a tar are not in the JSON. */
const parameters = (command: Command): Schema[] => [
  ...(command.changes && (!command.streams || command.begins)
    ? [{ $ref: '#/components/parameters/IdempotencyKey' }]
    : []),
  ...(command.streams ? streamed(command) : []),
]

const streamed = (command: Command): Schema[] => {
  const named = Object.entries(properties(command)).filter(([name]) => name !== 'wait' || command.begins)
  const secret = (name: string) => command.args[name]?.secret === true
  return [
    ...named
      .filter(([name]) => !secret(name) || command.args[name]?.kind === 'document')
      .map(([name, schema]) => ({ name, in: 'query', required: false, schema })),
    ...(named.some(([name]) => secret(name)) ? [{ $ref: '#/components/parameters/Arguments' }] : []),
  ]
}

function streams(schema: Schema): Schema {
  const { 200: done, ...rest } = responses(schema, false) as { 200: { content: Schema } }
  return { 200: { ...done, content: { ...done.content, ...tar } }, ...rest }
}

function get(command: Command): Schema {
  const must = required(command)
  return {
    operationId: `get-${command.name.replaceAll(' ', '-')}`,
    summary: command.about,
    description: about(command),
    tags: [command.name.split(' ')[0]!],
    parameters: Object.entries(properties(command)).map(([name, schema]) => ({
      name,
      in: 'query',
      required: must.includes(name),
      schema,
    })),
    responses: responses(replySchema(command), false),
  }
}

const line = {
  operationId: 'line',
  summary: 'Run one typed line, or words that are already split.',
  tags: ['line'],
  parameters: [{ $ref: '#/components/parameters/IdempotencyKey' }],
  requestBody: {
    required: true,
    content: json({
      oneOf: [
        {
          ...object({ line: { type: 'string', examples: ['create web --image debian'] }, wait }, ['line']),
          additionalProperties: false,
        },
        { ...object({ words: { type: 'array', items: text }, wait }, ['words']), additionalProperties: false },
      ],
    }),
  },
  responses: responses(ref('Reply'), true),
}

const complete = {
  operationId: 'complete',
  summary: 'What could stand at the end of an unfinished line.',
  tags: ['line'],
  requestBody: { required: true, content: json({ ...object({ line: text }, ['line']), additionalProperties: false }) },
  responses: {
    200: {
      description: 'Words that would be accepted.',
      content: json(object({ candidates: { type: 'array', items: text } }, ['candidates'])),
    },
    default: { description: 'A refusal.', content: json(ref('Reply')) },
  },
}

const operation = {
  operationId: 'operation',
  summary: 'How an operation is getting on, and its Reply once it has ended.',
  tags: ['operations'],
  parameters: [
    { name: 'id', in: 'path', required: true, schema: text },
    { name: 'wait', in: 'query', required: false, schema: wait },
  ],
  responses: {
    200: {
      description: 'The operation.',
      content: { ...json(ref('Operation')), 'text/event-stream': { schema: text } },
    },
    default: { description: 'A refusal.', content: json(ref('Reply')) },
  },
}

const hook = {
  operationId: 'hook',
  summary: 'What a webhook is sent; no token, for its signature says who sends. docs/ci.md has the rest.',
  tags: ['hook'],
  security: [],
  parameters: [
    { name: 'id', in: 'path', required: true, schema: text },
    { name: 'wait', in: 'query', required: false, schema: { type: 'string', examples: ['60s'] } },
  ],
  requestBody: { required: false, content: json({ type: 'object' }) },
  responses: {
    200: { description: 'Done, left because the hook is not for it, or a repeat.', content: json(ref('Reply')) },
    202: { description: 'Stored; it goes on.', content: json(ref('Reply')) },
    default: { description: 'A refusal, or what was begun has failed.', content: json(ref('Reply')) },
  },
}

const operationState = { enum: ['running', 'done', 'failed'] }

const schemas: Record<string, Schema> = {
  Reply: object(
    {
      text: { type: 'string', description: 'One sentence that stands alone.' },
      tone: { enum: ['ok', 'info', 'warn', 'error'] },
      fields: { type: 'object', additionalProperties: text },
      table: object(
        { head: { type: 'array', items: text }, rows: { type: 'array', items: { type: 'array', items: text } } },
        ['head', 'rows'],
      ),
      code: { type: 'string', description: 'Preformatted text: a log, an ssh line.' },
      actions: {
        type: 'array',
        items: object({ label: text, line: text, danger: { const: true } }, ['label', 'line']),
      },
      private: { const: true, description: 'Only the caller may see it.' },
      error: { enum: Object.keys(errorCodes) },
      data: { description: 'For machines; each command says what it gives.' },
      operation: object({ id: text, state: operationState, progress: text }, ['id', 'state']),
      file: object({ name: text, type: text }, ['name', 'type']),
    },
    ['text', 'tone'],
  ),
  Operation: object(
    {
      id: text,
      kind: text,
      state: operationState,
      progress: { type: ['string', 'null'] },
      reply: { anyOf: [ref('Reply'), { type: 'null' }] },
    },
    ['id', 'kind', 'state', 'progress', 'reply'],
  ),
}

/** The OpenAPI 3.1 document, read off the commands. */
export function openapi(
  commands: readonly Command[],
  info: { version: string; publicUrl?: string | undefined },
): Schema {
  const paths: Record<string, Schema> = {}
  for (const command of commands)
    paths[`/v1/${command.name.replaceAll(' ', '/')}`] = command.changes
      ? { post: post(command) }
      : { get: get(command), post: post(command) }
  paths['/v1/line'] = { post: line }
  paths['/v1/line/complete'] = { post: complete }
  paths['/v1/hooks/{id}'] = { post: hook }
  paths['/v1/operations/{id}'] = { get: operation }
  return {
    openapi: '3.1.0',
    info: {
      title: 'DCM',
      version: info.version,
      description:
        'Docker Containers Manager. Every command is a route; the body of every answer, errors too, is the Reply. ' +
        'Ask for `text/event-stream` to be told of progress. Make a token with `dcm token new`.',
    },
    ...(info.publicUrl ? { servers: [{ url: info.publicUrl }] } : {}),
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      parameters: {
        Arguments: {
          name: 'DCM-Arguments',
          in: 'header',
          required: false,
          description: 'With a tar: more arguments, as a JSON object in ASCII, for what has no place in an address.',
          schema: text,
        },
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description: 'The same key with the same request is done once and gets the same answer.',
          schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
        },
      },
      schemas,
    },
  }
}
