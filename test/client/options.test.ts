import { describe, expect, test } from 'vitest'
import { readOptions } from '../../src/client/options.ts'
import { dataFolder, readWhere } from '../../src/client/where.ts'

describe('options', () => {
  test.each([
    [[], ['help']],
    [
      ['create', '--help'],
      ['create', '--help'],
    ],
    [
      ['create', 'x', '--', 'cmd', '--json', '-o'],
      ['create', 'x', '--', 'cmd', '--json', '-o'],
    ],
    [['ps', '--json'], ['ps']],
    [
      ['export', '-o', 'file', 'web'],
      ['export', 'web'],
    ],
  ])('%j sends %j', (argv, words) => {
    expect(readOptions(argv).words).toEqual(words)
  })

  test('are taken before -- and not after', () => {
    expect(readOptions(['export', 'web', '--json', '-o', 'f'])).toMatchObject({ json: true, output: 'f', ask: 'run' })
    expect(readOptions(['create', 'x', '--', '--json', '-o', 'f'])).toMatchObject({ json: false, output: undefined })
    expect(readOptions(['stop', 'web', '--wait', '3s']).bounded).toBe(true)
    expect(readOptions(['exec', 'web', '--', 'x', '--wait=3s']).bounded).toBe(false)
    expect(() => readOptions(['export', '-o'])).toThrow('-o needs the name of a file')
    // What gives no file has no such flag, and says so.
    expect(readOptions(['ps', '-o', 'json']).words).toEqual(['ps', '-o', 'json'])
  })

  test.each([
    [['--version'], 'version'],
    [['-V'], 'version'],
    [['__complete', 'dcm p'], 'complete'],
    [['completion', 'zsh'], 'completion'],
    [['operations', 'o1'], 'operation'],
    [['operations'], 'run'],
    [['ps', '--version'], 'run'],
  ])('%j is %s', (argv, ask) => {
    expect(readOptions(argv).ask).toBe(ask)
  })
})

describe('where DCM is', () => {
  test.each([
    [{ DCM_DATA_DIR: '/srv/dcm' }, true, '/srv/dcm'],
    [{ HOME: '/root' }, true, '/var/lib/dcm'],
    [{ HOME: '/home/ann' }, false, '/home/ann/.local/share/dcm'],
    [{ HOME: '/home/ann', XDG_DATA_HOME: '/x' }, false, '/x/dcm'],
    [{ HOME: '/home/ann', XDG_DATA_HOME: '' }, false, '/home/ann/.local/share/dcm'],
  ])('%j, root %s: %s', (env, root, folder) => {
    expect(dataFolder(env, root)).toBe(folder)
    expect(readWhere(env, root)).toEqual({ socket: `${folder}/dcm.sock` })
  })

  test.each([
    [{ DCM_URL: 'https://dcm.example/x/', DCM_TOKEN: 't' }, 'https://dcm.example/x'],
    [{ DCM_URL: 'http://127.0.0.1:8787', DCM_TOKEN: 't' }, 'http://127.0.0.1:8787/'],
  ])('%j', (env, href) => {
    const where = readWhere(env, false)
    expect('url' in where && where.url.href).toBe(href)
  })

  test.each([
    [{ DCM_URL: 'https://dcm.example' }, 'DCM_TOKEN is not'],
    [{ DCM_URL: 'dcm.example', DCM_TOKEN: 't' }, 'not an http'],
    [{ DCM_URL: 'ftp://dcm.example', DCM_TOKEN: 't' }, 'not an http'],
    [{ DCM_URL: 'https://a:b@dcm.example', DCM_TOKEN: 't' }, 'may not hold a password'],
  ])('%j is refused', (env, says) => {
    expect(() => readWhere(env, false)).toThrow(says)
  })
})
