import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLine, parseObject, parseWords } from '../../../src/core/command/parse.ts'
import { untypeset } from '../../../src/core/command/words.ts'
import { DcmError } from '../../../src/core/reply/error.ts'
import { commands } from './commands.ts'

const command = (name: string) => commands.find((one) => one.name === name)!

function read(line: string) {
  const { command: found, given, reserved } = parseLine(commands, line)
  const said = Object.fromEntries(Object.entries(reserved).filter(([, value]) => value !== false))
  return { of: found.name, ...given, ...(Object.keys(said).length > 0 ? { reserved: said } : {}) }
}

function refusal(work: () => unknown): DcmError {
  try {
    work()
  } catch (error) {
    if (error instanceof DcmError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('a typed line', () => {
  const web = { of: 'create', name: 'web', image: 'debian' }
  test.each<[string, Record<string, unknown>]>([
    ['ps', { of: 'ps' }],
    ['  PS  ', { of: 'ps' }],
    ['dcm ps', { of: 'ps' }],
    ['/dcm ps', { of: 'ps' }],
    ['create web --image debian', web],
    ['create --image debian web', web],
    ['create web --image=debian', web],
    ['create web --IMAGE debian', web],
    ['create web --image debian -p 80 -p 53/udp', { ...web, port: ['80', '53/udp'] }],
    ['create web --image debian -p80 -m=1g', { ...web, port: ['80'], memory: '1g' }],
    ['schedule web 0 20 * * 1-5 -- ls', { of: 'schedule', container: 'web', cron: '0 20 * * 1-5', command: ['ls'] }],
    ['schedule web "0 20 * * 1-5"', { of: 'schedule', container: 'web', cron: '0 20 * * 1-5' }],
    ['can rm -f web', { of: 'can', line: 'rm -f web' }],
    ['can "rm -f web"', { of: 'can', line: 'rm -f web' }],
    ['can "rm \'a b\'"', { of: 'can', line: "rm 'a b'" }],
    ['create web --image debian -m -1', { ...web, memory: '-1' }],
    ['create web --image debian -e "A=b c" -e A=', { ...web, env: ['A=b c', 'A='] }],
    ['create web --image debian -e \'A="$HOME"\'', { ...web, env: ['A="$HOME"'] }],
    ['create web --image debian -- sh -c "echo $PATH; ls *"', { ...web, command: ['sh', '-c', 'echo $PATH; ls *'] }],
    ['create web --image debian -- --image evil', { ...web, command: ['--image', 'evil'] }],
    ['rm a b c -f', { of: 'rm', container: ['a', 'b', 'c'], force: true }],
    ['rm -fv a', { of: 'rm', container: ['a'], force: true, volumes: true }],
    ['rm -f -f a', { of: 'rm', container: ['a'], force: true }],
    ['rm a --force=false', { of: 'rm', container: ['a'], force: 'false' }],
    ['remove -- -a', { of: 'rm', container: ['-a'] }],
    [
      'rm a --yes --as bob --wait 5m --dry-run',
      { of: 'rm', container: ['a'], reserved: { yes: true, as: 'bob', wait: '5m', 'dry-run': true } },
    ],
    ['key add ssh-ed25519 AAAA alice@laptop', { of: 'key add', key: 'ssh-ed25519 AAAA alice@laptop' }],
    [
      'key add ssh-ed25519 AAAA alice --as bob',
      { of: 'key add', key: 'ssh-ed25519 AAAA alice', reserved: { as: 'bob' } },
    ],
    ['--help', { of: 'help' }],
    ['key add --help', { of: 'help', command: ['key', 'add'] }],
    ['create web --help', { of: 'help', command: ['create'] }],
    ['create web --image debian -- ls --help', { ...web, command: ['ls', '--help'] }],
    ['commit web web:v1 -m ""', { of: 'commit', container: 'web', ref: 'web:v1', message: '' }],
    ['commit web web:v1 -m a\\ b', { of: 'commit', container: 'web', ref: 'web:v1', message: 'a b' }],
    ['commit web web:v1 -m \'a\\b\'"c"', { of: 'commit', container: 'web', ref: 'web:v1', message: 'a\\bc' }],
    ["commit web web:v1 -m 'it'\"'\"'s'", { of: 'commit', container: 'web', ref: 'web:v1', message: "it's" }],
  ])('%s', (line, expected) => {
    expect(read(line)).toEqual(expected)
  })
})

describe('what chat clients and phones do to text is undone', () => {
  test.each([
    ['curly double quotes', 'commit web web:v1 -m \u201ctwo words\u201d', 'commit web web:v1 -m "two words"'],
    ['curly single quotes', 'commit web web:v1 -m \u2018two words\u2019', "commit web web:v1 -m 'two words'"],
    ['German and French quotes', 'commit web web:v1 -m \u201etwo words\u201c', 'commit web web:v1 -m "two words"'],
    ['an em dash for two hyphens', 'create web \u2014image debian', 'create web --image debian'],
    ['an en dash for two hyphens', 'create web \u2013image debian', 'create web --image debian'],
    ['an en dash before a letter', 'commit web web:v1 \u2013m note', 'commit web web:v1 --m note'],
    ['a capital after the dash', 'create web \u2014Image debian', 'create web --Image debian'],
    ['a lonely em dash', 'create web --image debian \u2014 top', 'create web --image debian -- top'],
    ['a minus sign', 'commit web web:v1 \u2212m note', 'commit web web:v1 -m note'],
    ['a link made of a host name', 'commit web <http://web.io|web.io>', 'commit web web.io'],
    [
      'a link made of an address',
      'key add ssh-ed25519 AAAA <mailto:al@host.org|al@host.org>',
      'key add ssh-ed25519 AAAA al@host.org',
    ],
    [
      'a bare link',
      'create web --image debian -- curl <https://a.org/b>',
      'create web --image debian -- curl https://a.org/b',
    ],
    ['a no-break space', 'rm\u00a0web', 'rm web'],
    ['a zero-width space and a byte order mark', '\ufeffrm \u200bweb', 'rm web'],
    ['bold around the line', '*rm web*', 'rm web'],
    ['Discord bold around the line', '**rm web**', 'rm web'],
    ['code around the line', '`dcm rm web`', 'rm web'],
    ['a code block', '```\nrm web\n```', 'rm web'],
    ['bold around a name', 'rm *web* `db`', 'rm web db'],
    [
      'marks in what runs inside',
      'create web --image debian -- echo *a* `b`',
      'create web --image debian -- echo *a* `b`',
    ],
    ['a dash inside a word', 'commit web web:v1 -m a\u2014b', 'commit web web:v1 -m a\u2014b'],
  ])('%s', (_, typed, meant) => {
    expect(untypeset(typed)).toBe(meant)
  })

  test('text that needs nothing undone stays as it is', () => {
    const word = fc.stringMatching(/^[a-z0-9:=./-]{1,12}$/)
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
        fc.pre(!/^\/?dcm$/.test(words[0]!))
        expect(untypeset(words.join(' '))).toBe(words.join(' '))
      }),
    )
  })
})

describe('what is not right is refused with what would be', () => {
  test.each([
    ['', /^Type a command/, 'help'],
    ['   ', /^Type a command/, 'help'],
    ['creat web', /no command creat; did you mean create\?/, 'create web'],
    ['pss', /did you mean ps\?/, 'ps'],
    ['keyadd x', /did you mean key add\?/, 'key add'],
    ['frobnicate', /^There is no command frobnicate\.$/, 'help'],
    ['key', /^key takes one of: key add, key ls\.$/, 'help key'],
    ['key ad x', /^key takes one of/, 'key add'],
    ['rm web --forse', /^rm has no --forse; did you mean --force\?/, 'help rm'],
    ['rm web --dryrun', /did you mean --dry-run\?/, 'help rm'],
    ['rm web -x', /^rm has no -x/, 'help rm'],
    ['rm web --constructor', /^rm has no --constructor/, 'help rm'],
    ['rm web --__proto__ x', /is not a flag/, 'help rm'],
    ['rm web --dry-run=1', /--dry-run is true or false/, 'help rm'],
    ['rm web --yes=no', /--yes is true or false/, 'help rm'],
    ['create web --image', /^--image needs a value/, 'help create'],
    ['create web --image -p 80', /^--image needs a value/, 'help create'],
    ['create web --image a --image b', /^--image is given twice/, 'help create'],
    ['create web sh --image debian', /does not take "sh"; put what runs inside after --/, 'help create'],
    [
      'create web debian -m 1g -- sleep 9',
      /^create needs --image before debian\.$/,
      'create web --image debian -m 1g -- sleep 9',
    ],
    ['create debian debian', /^create needs --image before debian\.$/, 'create debian --image debian'],
    ['create web --name debian', /^create has no --name/, 'help create'],
    ['commit web web:v1 -m "no end', /quote in that line is not closed/, undefined],
    ["commit web web:v1 -m don't", /quote in that line is not closed/, undefined],
    ['commit web web:v1 -m a\\', /ends in a backslash/, undefined],
  ])('%s', (line, sentence, suggestion) => {
    const { code, message, try: next } = refusal(() => parseLine(commands, line))
    expect(code).toBe('usage')
    expect(message).toMatch(sentence)
    expect(message.length).toBeLessThan(300)
    if (suggestion !== undefined) expect(next).toBe(suggestion)
  })

  test('more words than anybody types are not even read', () => {
    expect(parseWords(commands, ['rm', ...Array.from({ length: 9_999 }, () => 'a')]).given.container).toHaveLength(
      9_999,
    )
    expect(
      refusal(() =>
        parseWords(
          commands,
          Array.from({ length: 10_001 }, () => 'a'),
        ),
      ).message,
    ).toBe('That is more than 10000 words.')
  })

  test('a line that is too long is not even split', () => {
    expect(refusal(() => parseLine(commands, 'x'.repeat(70_000))).message).toMatch(/longer than 65536/)
  })

  test('E03: a refusal repeats nothing of a key that was pasted', () => {
    const pasted =
      '-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXktdjEAAAAABG5vbmU --oops=b3BlbnNz --b3BlbnNzaC1rZXktdjE'
    expect(refusal(() => parseLine(commands, `key add ${pasted}`)).message).not.toContain('oops=')
    // Without flags it reaches the reader of keys as one text, which knows what it is.
    expect(read('key add -----BEGIN OPENSSH PRIVATE KEY----- b3Blbn')).toEqual({
      of: 'key add',
      key: '-----BEGIN OPENSSH PRIVATE KEY----- b3Blbn',
    })
  })

  test('no line makes it throw anything but a DcmError, and refusals stay short', () => {
    const bits = fc.constantFrom(
      'create',
      'rm',
      'key',
      'add',
      '--',
      '--image',
      '-p',
      '-f',
      '"',
      "'",
      '\\',
      '\u201c',
      '\u2014',
      '<',
      '|',
      '>',
      '*',
      '`',
      '\0',
      '\n',
      '=',
      '__proto__',
      '--constructor',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(bits, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 30 }),
        (parts) => {
          try {
            const { given } = parseLine(commands, parts.join(' '))
            for (const value of Object.values(given)) expect(['string', 'boolean', 'object']).toContain(typeof value)
          } catch (error) {
            expect(error).toBeInstanceOf(DcmError)
            expect((error as DcmError).message.length).toBeLessThan(400)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('arguments by name', () => {
  const read = (name: string, body: string) => parseObject(command(name), JSON.parse(body) as Record<string, unknown>)

  test.each<[string, string, Record<string, unknown>]>([
    [
      'create',
      '{"name":"web","image":"debian","port":[80,"53/udp"],"memory":"1g"}',
      { name: 'web', image: 'debian', port: ['80', '53/udp'], memory: '1g' },
    ],
    [
      'create',
      '{"name":"web","image":"debian","port":80,"command":["sh","-c","ls"]}',
      { name: 'web', image: 'debian', port: ['80'], command: ['sh', '-c', 'ls'] },
    ],
    ['create', '{"name":"web","image":null}', { name: 'web' }],
    ['create', '{"name":true,"image":5}', { name: 'true', image: '5' }],
    ['rm', '{"container":"a","force":true}', { container: ['a'], force: true }],
    ['rm', '{"container":["a","b"],"force":"true"}', { container: ['a', 'b'], force: 'true' }],
  ])('%s %s', (name, body, given) => {
    expect(read(name, body).given).toEqual(given)
  })

  test.each([
    ['rm', '{"container":"a","forse":true}', /no argument "forse"; did you mean "force"\?/],
    ['rm', '{"container":"a","__proto__":{"force":true}}', /no argument "__proto__"/],
    ['rm', '{"container":"a","constructor":{"prototype":{}}}', /no argument "constructor"/],
    ['rm', '{"container":"a","toString":"x"}', /no argument "toString"/],
    ['rm', '{"container":"a","owner":"bob"}', /no argument "owner"/],
    ['rm', '{"container":{"name":"a"}}', /"container" takes text/],
    ['rm', '{"container":[["a"]]}', /"container" takes text/],
    ['rm', '{"container":"a","force":["true"]}', /"force" takes one value/],
    ['create', '{"name":["a","b"],"image":"x"}', /"name" takes one value/],
    ['create', '{"name":"a","HostConfig":{"Privileged":true}}', /no argument "HostConfig"/],
    ['rm', '{"container":"a","dry-run":1}', /--dry-run is true or false/],
    ['rm', '{"container":"a","as":["bob"]}', /"as" takes one value/],
  ])('hostile: %s %s', (name, body, sentence) => {
    const { code, message } = refusal(() => read(name, body))
    expect(code).toBe('usage')
    expect(message).toMatch(sentence)
    expect(({} as Record<string, unknown>)['force']).toBeUndefined()
  })

  test('any JSON object is either read as text of known names or refused', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constantFrom('container', 'force', 'as', 'yes', '__proto__', 'constructor'), fc.string()),
          fc.jsonValue(),
          { noNullPrototype: false },
        ),
        (body) => {
          try {
            const { given, reserved } = parseObject(command('rm'), body)
            for (const name of Object.keys(given)) expect(Object.hasOwn(command('rm').args, name)).toBe(true)
            expect(typeof reserved.yes).toBe('boolean')
          } catch (error) {
            expect(error).toBeInstanceOf(DcmError)
          }
        },
      ),
    )
  })
})

test('words that are already split are taken as they are', () => {
  const { given } = parseWords(commands, ['commit', 'web', 'web:v1', '-m', '\u201cas typed\u201d'])
  expect(given['message']).toBe('\u201cas typed\u201d')
})
