import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expand, parseDockerfile, type Problem, type Recipe } from '../../../src/core/model/dockerfile.ts'

const read = (text: string) => {
  const recipe = parseDockerfile(text)
  expect(recipe, JSON.stringify(recipe)).not.toBeInstanceOf(Array)
  return (recipe as Recipe).stages[0]!
}
const problems = (text: string) => {
  const found = parseDockerfile(text)
  expect(found).toBeInstanceOf(Array)
  return found as Problem[]
}

describe('what is read', () => {
  test('lines that go on, comments in between, and both forms', () => {
    const { from, steps } = read(`# a comment
ARG BASE=debian
FROM $BASE AS one

RUN apt-get update && \\
    # in between

    apt-get install -y nginx
copy --chown=app:app  a "b c" /srv/
CMD ["nginx", "-g", "daemon off;"]
ENTRYPOINT exec "$@"
`)
    expect(from).toBe('$BASE')
    expect(steps).toMatchObject([
      {
        verb: 'RUN',
        line: 5,
        argv: null,
        text: expect.stringMatching(/^apt-get update && +apt-get install -y nginx$/),
      },
      { verb: 'COPY', line: 9, owner: 'app:app', sources: ['a', '"b c"'], target: '/srv/' },
      { verb: 'CMD', argv: ['nginx', '-g', 'daemon off;'] },
      { verb: 'ENTRYPOINT', argv: null, text: 'exec "$@"' },
    ])
  })

  test('ENV and LABEL in both forms', () => {
    expect(read('FROM x\nENV A=1 B="two words" C=a\\ b\nENV D all of it\nLABEL "a.b"="c d"').steps).toMatchObject([
      {
        pairs: [
          ['A', '1'],
          ['B', '"two words"'],
          ['C', 'a\\ b'],
        ],
      },
      { pairs: [['D', 'all of it']] },
      { pairs: [['a.b', '"c d"']] },
    ])
  })
})

describe('what is not offered is told with its line, all at once', () => {
  test.each([
    ['ADD http://169.254.169.254/latest /x', /ADD fetches and unpacks on the host/],
    ['ADD app.tar /x', /ADD fetches/],
    ['COPY --from=other/image /etc/shadow /x', /COPY --from takes a stage before/],
    ['COPY --from=0 /a /b', /COPY --from takes a stage before/],
    ['COPY --from=1 /a /b', /COPY --from takes a stage before/],
    ['COPY --chmod=777 a b', /COPY --chmod is not offered/],
    ['COPY --chown=a --link a b', /COPY --link is not offered/],
    ['COPY http://127.0.0.1/x /x', /no URL/],
    ['RUN --network=host curl 127.0.0.1', /RUN --network is not offered/],
    ['RUN --mount=type=bind,source=/,target=/h ls', /RUN --mount is not offered/],
    ['RUN --security=insecure mount', /RUN --security is not offered/],
    ['RUN <<EOF', /Text in the Dockerfile itself/],
    ['COPY <<EOF /x', /Text in the Dockerfile itself/],
    ['VOLUME /data', /outside your quota/],
    ['ONBUILD RUN id', /ONBUILD/],
    ['HEALTHCHECK CMD true', /HEALTHCHECK/],
    ['SHELL ["/bin/bash", "-c"]', /SHELL cannot be changed/],
    ['STOPSIGNAL SIGKILL', /STOPSIGNAL/],
    ['LABEL dcm.built=x', /DCM's own name/],
    ['ENV DCM_SETENV=x', /DCM's own name/],
    ['ENV TINI_SUBREAPER=x', /DCM's own name/],
    ['ENV "A=1', /not closed/],
    ['EVIL x', /no instruction/],
    ['RUN', /what to run/],
  ])('K %s', (line, says) => {
    expect(problems(`FROM debian\n\n${line}`)).toEqual([{ line: 3, says: expect.stringMatching(says) }])
  })

  test.each([
    ['# syntax=docker/dockerfile:1\nFROM x', 1],
    ['#syntax = evil/frontend\nFROM x', 1],
    ['# escape=`\nFROM x', 1],
    ['RUN id', 1],
    ['', 1],
    ['FROM --platform=linux/arm64 x', 1],
    ['FROM scratch', 1],
    ['FROM x y', 1],
  ])('%j', (text, line) => expect(problems(text)[0]).toMatchObject({ line }))

  test('every such line is told', () => {
    expect(problems('# syntax=x\nFROM a\nADD a b\nRUN x\nVOLUME /x').map(({ line }) => line)).toEqual([1, 3, 5])
  })

  // What takes time by the square of its length does not end within a test.
  test('a line of a million blanks is read at once', () => {
    const blanks = ' '.repeat(2 ** 20)
    expect(read(`FROM x\nRUN a${blanks}b${blanks}`).steps).toMatchObject([{ text: `a${blanks}b` }])
    expect(read(`FROM x\n${blanks}RUN${blanks}a\n${blanks}`).steps).toMatchObject([{ text: 'a' }])
  })

  test('any text is read or refused', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseDockerfile(`FROM x\n${text}`)))
  })
})

test('stages are read apart, and COPY --from names one before', () => {
  const recipe = parseDockerfile(
    'FROM a AS Build\nRUN make\nFROM b\nCOPY --from=build --chown=x /out /srv\nCOPY --from=0 /a b /c/',
  )
  expect(recipe).toMatchObject({
    stages: [
      { from: 'a', name: 'build', steps: [{ verb: 'RUN' }] },
      {
        from: 'b',
        name: null,
        steps: [
          { from: 'build', owner: 'x', sources: ['/out'] },
          { from: '0', sources: ['/a', 'b'] },
        ],
      },
    ],
  })
  expect(problems('FROM a AS x\nFROM x')).toEqual([{ line: 2, says: expect.stringMatching(/FROM another stage/) }])
  expect(problems('FROM a\n'.repeat(9))[0]).toMatchObject({ line: 9 })
})

test('what each RUN would hold anew is bounded', () => {
  const set = (count: number) => `ENV ${Array.from({ length: count }, (_, n) => `V${n}=`).join(' ')}\n`
  read(`FROM a\n${set(900)}${'RUN :\n'.repeat(99)}`)
  expect(problems(`FROM a\n${set(9000)}${'RUN :\n'.repeat(100)}`)).toEqual([
    { line: 1, says: expect.stringContaining('1000 variables') },
  ])
})

describe('variables', () => {
  const vars = new Map([
    ['A', 'one'],
    ['B', '$A'],
    ['EMPTY', ''],
  ])
  test.each([
    ['$A/${A}x', 'one/onex'],
    ['${NONE:-other}${A:+set}${EMPTY:+no}', 'otherset'],
    ['"$A b" \'$A\' \\$A', 'one b $A $A'],
    ['$B', '$A'],
    ['$$A ${', '$one ${'],
    ['$1 ${A', '$1 ${A'],
  ])('%s', (text, value) => expect(expand(text, vars, 100)).toBe(value))

  test('nothing comes of more than is asked for', () => {
    expect(expand('$A$A', vars, 6)).toBe('oneone')
    expect(expand('$A$A', vars, 5)).toBeNull()
  })
})
