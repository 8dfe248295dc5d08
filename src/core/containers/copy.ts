import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { Spot } from '../command/lookup.ts'
import type { Exec, LogChunk } from '../host/engine.ts'
import { isFault } from '../host/fault.ts'
import type { Container } from '../model/container.ts'
import { newId } from '../model/id.ts'
import { createSeats } from '../command/seats.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'
import { plain } from '../reply/text.ts'
import { whileEntering } from './guest.ts'
import { largest, longest, pour, roomOf, stall, within } from './flow.ts'
import { running, type Signal } from './inside.ts'
import { signalInside } from './signal.ts'

/** Copies of one member at a time. */
const most = 4
/** How long the engine may need to pass a signal on. */
const telling = 5000

/** What the scripts below end with, where it is not tar's own code. */
const codes = { tar: 91, path: 92, parent: 93 } as const

/** Packs one path. What image or member have set for tar is not for this one. */
const packing = `unset TAR_OPTIONS
[ -e "$1" ] || [ -L "$1" ] || exit ${codes.path}
command -v tar >/dev/null 2>&1 || exit ${codes.tar}
cd "$2" || exit ${codes.path}
exec tar -cf - -- "$3"
`

/**
 * Unpacks into a folder that is there; else beside where it is to be, so that what is cut off leaves nothing. "into" is
 * said once files that are there may have been touched. A named thing is the caller's own and becomes root's, as with
 * docker cp; in a tar that is a tar owners stay.
 */
const unpacking = `unset TAR_OPTIONS
command -v tar >/dev/null 2>&1 || exit ${codes.tar}
if [ "$4" = make ]; then mkdir -p "$1" || exit; fi
if [ -z "$2" ]; then cd "$1" 2>/dev/null || exit ${codes.path}; echo into; exec tar -xf -; fi
if [ -d "$1" ]; then cd "$1" || exit ${codes.path}; echo into; exec tar -xof -; fi
case $1 in */) exit ${codes.path} ;; esac
parent=\${1%/*}
cd "\${parent:-/}" 2>/dev/null || exit ${codes.parent}
new=.dcm-$3
trap 'rm -rf "$new"; exit 143' HUP INT TERM
mkdir -m 700 "$new" || exit
(cd "$new" && exec tar -xof -) && mv -f -- "$new/$2" "./\${1##*/}"
code=$?
rm -rf "$new"
exit $code
`

type Transfer = Exec & { tell(signal: Signal): Promise<void> }

/** Copies files in and out by the container's own tar, as its root: the service opens no path at all. */
export function createCopy(works: Works): (caller: Caller) => Pick<Context['files'], 'take' | 'put'> {
  const seat = createSeats(most)

  function enter(personId: string): () => void {
    const leave = seat(personId)
    if (leave) return leave
    throw new DcmError('limited', `You copy ${most} things already; let one of them end first.`)
  }

  async function begin(
    container: Container,
    script: string,
    words: string[],
    id: string,
    reads: boolean,
  ): Promise<Transfer> {
    const { engine } = works.host(container.hostId)
    if (!container.engineId)
      throw new DcmError('conflict', `${container.name} is gone from Docker, so nothing can be copied.`, {
        try: `rm ${container.name}`,
      })
    const { engineId } = container
    try {
      const argv = ['/bin/sh', '-c', script, 'dcm', ...words]
      const program = await engine.exec(engineId, {
        ...running(argv, id, '/'),
        tty: null,
        ...(reads ? {} : { input: false }),
      })
      program.input.on('error', () => undefined)
      return {
        ...program,
        tell: (signal) => signalInside(engine, engineId, id, signal),
      }
    } catch (error) {
      if (isFault(error, 'taken'))
        throw new DcmError('conflict', `${container.name} is not running, so nothing can be copied.`, {
          cause: error,
          try: `start ${container.name}`,
        })
      throw explain(error)
    }
  }

  /** Ends what is still under way, and what it has begun with it. */
  function end(program: Transfer, signal: Signal): void {
    // An engine that does not take the signal must not keep the connection, and with it the answer.
    within(program.tell(signal), telling)
      .catch(() => undefined)
      .finally(() => program.close())
  }

  return ({ person }) => ({
    async take({ container, path }) {
      const leave = enter(person.id)
      const { folder, name } = split(path)
      let program: Transfer | undefined
      try {
        const id = newId(works.random)
        const packed = (program = await begin(container, packing, [path, folder, name], id, false))
        const said = createSaid()
        const until = performance.now() + longest
        const source = packed.output[Symbol.asyncIterator]()
        /** The next of what is standard output. */
        const next = async (): Promise<Buffer | undefined> => {
          for (;;) {
            if (performance.now() > until) throw new DcmError('limited', 'That took longer than an hour.')
            const { done, value } = await source.next()
            if (done) return undefined
            if (value.stream === 'stdout') return value.data
            said.take(value)
          }
        }
        const first = await within(next(), stall)
        if (!first) throw refused(await packed.exit(), { container, path }, said.text())
        let idle: NodeJS.Timeout | undefined
        const stop = () => {
          clearTimeout(idle)
          end(packed, 'KILL')
          leave()
        }
        // A reader that has gone without a word would hold the container's tar for ever.
        const wait = () => {
          clearTimeout(idle)
          idle = setTimeout(stop, stall)
          idle.unref()
        }
        wait()
        const bytes = (async function* () {
          let size = 0
          let whole = false
          try {
            for (let piece: Buffer | undefined = first; piece; piece = await next()) {
              wait()
              if ((size += piece.length) > largest) throw new DcmError('limited', 'That is more than can be copied.')
              yield piece
            }
            const code = await packed.exit()
            // GNU tar: 1 is "some files differ", of what changed while it was read.
            if (code !== 0 && !(code === 1 && /changed as we read it|file removed before/i.test(said.text())))
              throw refused(code, { container, path }, said.text())
            whole = true
          } finally {
            if (whole) {
              clearTimeout(idle)
              packed.close()
              leave()
            } else stop()
          }
        })()
        const given = whileEntering(works, person.id, container, bytes)
        return { name: `${name === '.' ? container.name : name}.tar`, bytes: given }
      } catch (error) {
        if (program) end(program, 'KILL')
        leave()
        throw explain(error)
      }
    },

    async put(spot, name, body, make = false) {
      const { container, path } = spot
      const leave = enter(person.id)
      try {
        const room = await roomOf(works, container)
        const id = newId(works.random)
        const program = await begin(container, unpacking, [path, name ?? '', id, make ? 'make' : ''], id, true)
        const said = createSaid()
        let ended = false
        const told = (async () => {
          for await (const chunk of program.output) said.take(chunk)
          ended = true
        })()
        told.catch(() => undefined)
        const source = whileEntering(works, person.id, container, body)[Symbol.asyncIterator]()
        try {
          const size = await pour(source, program.input, room, () => ended, told)
          program.input.end()
          await within(told, longest)
          const code = await program.exit()
          if (code !== 0) throw refused(code, spot, said.text(), said.into())
          program.close()
          return size
        } catch (error) {
          // What is sent further has no use. Not awaited: a source that hangs must not keep the answer.
          source.return(undefined).then(undefined, () => undefined)
          // It clears up after itself on TERM; what does not end by it is ended.
          if (!ended) {
            await within(program.tell('TERM'), telling).catch(() => undefined)
            // Only now: an end of its input alone would look like the end of a tar.
            program.input.end()
            await within(told, telling).catch(() => within(program.tell('KILL'), telling).catch(() => undefined))
          }
          program.close()
          const why = explain(error)
          if (!said.into() || why.code === 'internal' || touched.test(why.message)) throw why
          throw new DcmError(why.code, `${why.message} ${half(spot)}`, { cause: error, try: why.try })
        }
      } catch (error) {
        throw explain(error)
      } finally {
        leave()
      }
    },
  })
}

/** The folder that a path is in, and what it is called there; `.` where it is the folder itself that is meant. */
function split(path: string): { folder: string; name: string } {
  const trimmed = path.replace(/\/+$/, '')
  const name = trimmed.slice(trimmed.lastIndexOf('/') + 1)
  if (name === '' || name === '.' || name === '..') return { folder: trimmed || '/', name: '.' }
  return { folder: trimmed.slice(0, -name.length), name }
}

/** Keeps a little of what a script says: whether it has begun to touch what is there, and what tar complains of. */
function createSaid() {
  let out = ''
  let errors = ''
  return {
    take({ stream, data }: LogChunk): void {
      if (stream === 'stdout') out = (out + data.toString('utf8')).slice(0, 100)
      else errors = (errors + data.toString('utf8')).slice(-2000)
    },
    into: () => out.startsWith('into'),
    text: () => errors,
  }
}

const touched = /may be incomplete/
const half = ({ container, path }: Spot) => `What is at ${path} of ${container.name} now may be incomplete.`

/** What a script's end means. */
function refused(code: number | null, spot: Spot, errors: string, into = false): DcmError {
  const { container, path } = spot
  if (code === codes.tar || code === 127)
    return new DcmError(
      'conflict',
      `${container.name} has no tar, which cp needs: install it inside (Debian: apt-get install tar).`,
    )
  if (code === codes.path) return new DcmError('not_found', `There is no ${path} in ${container.name}.`)
  if (code === codes.parent)
    return new DcmError('not_found', `There is no folder in ${container.name} that ${path} could be in.`)
  const last = plain(errors).trim().split('\n').slice(-2).join(' / ').slice(-300)
  return new DcmError(
    'conflict',
    `tar in ${container.name} ended with ${code === null ? 'no code' : `code ${code}`}${last ? `: ${last.replace(/\.$/, '')}` : ''}.${into ? ` ${half(spot)}` : ''}`,
  )
}
