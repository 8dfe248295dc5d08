import type { Source } from '../command/intents.ts'
import type { Exec } from '../host/engine.ts'
import { isFault } from '../host/fault.ts'
import type { Host } from '../host/host.ts'
import type { Container } from '../model/container.ts'
import type { Image } from '../model/image.ts'
import { formatSize } from '../model/units.ts'
import type { Run, State, Works } from '../operation/define.ts'
import { DcmError } from '../reply/error.ts'
import { plain } from '../reply/text.ts'
import { usableImages } from './allow.ts'
import { longest, pour, roomOf, within } from './flow.ts'
import { rootOf, sourceAt } from './folders.ts'
import { createOutput } from './output.ts'

/** A build that has its files fetched. */
type Fetching = Works & Pick<Run<'build', State>, 'body' | 'signal' | 'say'>

/** Where the program that fetches may be, and what to say where no image has it. */
const programs = {
  sent: {
    paths: ['/bin/tar', '/usr/bin/tar', '/usr/local/bin/tar'],
    none: 'No image that you can use has tar, which what you send is unpacked with: ask an admin to offer one, or put the files into /storage and name their folder with --context.',
  },
  git: {
    paths: ['/usr/bin/git', '/usr/local/bin/git', '/bin/git'],
    none: 'No image that you can use has git, which a repository is fetched with: ask an admin to offer one, or send a clone of your own (dcm build NAME ./folder).',
  },
}

/** Images that are looked into for it. */
const most = 16

/** An image to fetch with: one that is offered before one's own. @throws DcmError `conflict` */
export async function fetcher(run: Fetching, host: Host, ownerId: string, kind: Source['kind']): Promise<Image> {
  const images = await usableImages(run.store, ownerId)
  const own = (image: Image) => Number(image.ownerId !== null) * 2 + Number(image.useInstead !== null)
  const { paths, none } = programs[kind]
  for (const image of images.toSorted((a, b) => own(a) - own(b)).slice(0, most)) {
    const has = await host.engine.imageHas(image.engineId, paths).catch((error: unknown) => {
      if (isFault(error, 'gone')) return false
      throw error
    })
    if (has) return image
  }
  throw new DcmError('conflict', none, { try: 'images' })
}

const asRoot = (argv: string[]) => ({ argv, env: [], user: '0', tty: null })

const unpacking = `unset TAR_OPTIONS
cd "$1" && exec tar -xof -
`

/** Unpacks what comes with the call, by the container's own tar. @throws DcmError */
export async function receive(run: Fetching, host: Host, container: Container, engineId: string): Promise<void> {
  if (!run.body)
    throw new DcmError(
      'conflict',
      'DCM was started anew before all of it had come, so nothing is built; send it again.',
    )
  const program = await host.engine.exec(engineId, asRoot(['/bin/sh', '-c', unpacking, 'dcm', sourceAt]))
  program.input.on('error', () => undefined)
  const said = createOutput()
  let ended = false
  const told = (async () => {
    for await (const chunk of program.output) said.take(chunk)
    ended = true
  })()
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new DcmError('unavailable', 'DCM is stopping.'))
    if (run.signal.aborted) stop()
    run.signal.addEventListener('abort', stop, { once: true })
  })
  for (const one of [told, stopped]) one.catch(() => undefined)
  const source = counted(run)
  try {
    const room = await roomOf(run, container)
    await pour(source, program.input, room, () => ended, Promise.race([told, stopped]))
    program.input.end()
    await within(Promise.race([told, stopped]), longest)
    const code = await program.exit()
    if (code !== 0) throw new DcmError('conflict', `tar ended with code ${code ?? '?'}${last(said.end().text)}.`)
  } catch (error) {
    // It cannot be read again, so there is nothing to wait for.
    if (error instanceof DcmError) throw error
    throw new DcmError('conflict', 'The container that unpacks it was lost, so nothing is built; send it again.', {
      cause: error,
    })
  } finally {
    program.close()
    // Not awaited: a source that hangs must not keep the answer.
    source.return(undefined).then(undefined, () => undefined)
  }
}

/** Says now and then how much has come. */
async function* counted({ body, say, now }: Fetching): AsyncGenerator<Uint8Array> {
  let [size, told] = [0, now().getTime()]
  for await (const piece of body!) {
    size += piece.byteLength
    const at = now().getTime()
    if (at - told > 1000) {
      told = at
      say(`receiving, ${formatSize(size)} so far`).catch(() => undefined)
    }
    yield piece
  }
}

/**
 * Fetches one commit and nothing else: by HTTP alone, asking nobody, and with no configuration of the image's. What a
 * repository itself may have run at a checkout needs a configuration to name it. git-config(1), gitattributes(5).
 */
const cloning = `set -e
cd "$1"
rm -rf ./* ./.[!.]* ./..?*
export HOME=/nonexistent GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false GIT_ALLOW_PROTOCOL=http:https
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TEMPLATE_DIR=
git init -q .
git -c http.lowSpeedLimit=1 -c http.lowSpeedTime=60 fetch -q --depth 1 --no-tags --no-recurse-submodules -- "$2" "$3"
git -c advice.detachedHead=false checkout -q --detach FETCH_HEAD --
rm -rf .git
`

/** Clones into the container: what can be reached is what any container of its member's reaches. @throws DcmError */
export async function clone(host: Host, engineId: string, { url, ref }: Source & { kind: 'git' }): Promise<void> {
  const going = await host.engine.exec(engineId, {
    ...asRoot(['/bin/sh', '-c', cloning, 'dcm', sourceAt, url, ref]),
    input: false,
  })
  const { code, text } = await outcome(going)
  if (code !== 0) throw new DcmError('conflict', `The repository could not be fetched${last(text)}.`)
}

async function outcome(going: Exec): Promise<{ code: number | null; text: string }> {
  const said = createOutput()
  for await (const chunk of going.output) said.take(chunk)
  return { code: await going.exit(), text: said.end().text }
}

const last = (text: string): string => {
  const words = plain(text).trim().split('\n').slice(-3).join(' / ').slice(-400).replace(/\.+$/, '')
  return words ? `: ${words}` : ''
}

const codes = { folder: 92, none: 93 } as const
const longestFile = 60_000

/** A plain file, and no link to another. */
const reading = `cd "$1" || exit ${codes.folder}
[ -f "./$2" ] && [ ! -L "./$2" ] || exit ${codes.none}
exec head -c ${longestFile + 1} "./$2"
`

/** What the Dockerfile says. @throws DcmError */
export async function readDockerfile(host: Host, engineId: string, source: Source, file: string): Promise<string> {
  const root = rootOf(source)
  const going = await host.engine.exec(engineId, {
    ...asRoot(['/bin/sh', '-c', reading, 'dcm', root.path, file]),
    input: false,
  })
  const parts: Buffer[] = []
  let size = 0
  for await (const { stream, data } of going.output)
    if (stream === 'stdout' && (size += data.length) <= longestFile) parts.push(data)
  const code = await going.exit()
  if (code === codes.folder && source.kind === 'git')
    throw new DcmError('not_found', `There is no folder ${source.folder} in the repository.`)
  if (code === codes.none)
    throw new DcmError('not_found', `There is no plain file ${file} in ${root.shown}; name the Dockerfile with -f.`)
  if (code !== 0) throw new DcmError('conflict', `${file} could not be read.`)
  if (size > longestFile) throw new DcmError('usage', `${file} is longer than ${longestFile} bytes.`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch (cause) {
    throw new DcmError('usage', `${file} is no text.`, { cause })
  }
}
