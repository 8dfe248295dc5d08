import { type Command, defineCommand } from '../../../src/core/command/define.ts'
import { ok } from '../../../src/core/reply/reply.ts'

const run = async () => ok('Done.')

/** Commands of every shape that the parser has to read: a few words, flags of each kind, lists, a rest, a secret line. */
export const commands: readonly Command[] = [
  defineCommand({
    name: 'create',
    about: 'Make one.',
    needs: 'member',
    changes: true,
    args: {
      name: { kind: 'container-name', about: 'Its name.' },
      image: { kind: 'image', flag: true, about: 'From what.' },
      port: { kind: 'port', flag: true, short: 'p', many: true, optional: true, about: 'A port.' },
      env: { kind: 'env', flag: true, short: 'e', many: true, optional: true, about: 'A variable.' },
      memory: { kind: 'size', flag: true, short: 'm', optional: true, about: 'Memory.' },
      command: { kind: 'argv', rest: true, about: 'What runs inside.' },
    },
    run,
  }),
  defineCommand({
    name: 'rm',
    aliases: ['remove'],
    about: 'Remove some.',
    needs: 'own',
    changes: true,
    args: {
      container: { kind: 'container', each: true, about: 'Which.' },
      force: { kind: 'flag', short: 'f', about: 'Running ones too.' },
      volumes: { kind: 'flag', short: 'v', about: 'With volumes.' },
    },
    run,
  }),
  defineCommand({ name: 'ps', about: 'List them.', needs: 'look', changes: false, args: {}, run }),
  defineCommand({
    name: 'commit',
    about: 'Save one.',
    needs: 'own',
    changes: true,
    args: {
      container: { kind: 'container', about: 'Which.' },
      ref: { kind: 'image-ref', about: 'As what.' },
      message: { kind: 'text', flag: true, short: 'm', optional: true, about: 'A note.' },
    },
    run,
  }),
  defineCommand({
    name: 'key add',
    about: 'Add a key.',
    needs: 'member',
    changes: true,
    args: { key: { kind: 'line', secret: true, about: 'The key.' } },
    run,
  }),
  defineCommand({
    name: 'schedule',
    about: 'Do it at times.',
    needs: 'own',
    changes: true,
    args: {
      container: { kind: 'container', about: 'Which.' },
      cron: { kind: 'cron', about: 'When.' },
      command: { kind: 'argv', rest: true, about: 'What runs inside.' },
    },
    run,
  }),
  defineCommand({
    name: 'can',
    about: 'Ask about another line.',
    needs: 'member',
    changes: false,
    args: { line: { kind: 'line', raw: true, about: 'The line.' } },
    run,
  }),
  defineCommand({ name: 'key ls', about: 'List keys.', needs: 'member', changes: false, args: {}, run }),
  defineCommand({
    name: 'help',
    about: 'Explain.',
    needs: 'anyone',
    changes: false,
    args: { command: { kind: 'command', many: true, optional: true, about: 'Which.' } },
    run,
  }),
]
