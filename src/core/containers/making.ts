import { running } from './inside.ts'
import type { Root } from './folders.ts'
import type { Task } from './recipe.ts'

/** Reads out of the folder that was named, and gives what it makes to root or to whom COPY says. */
const copying = `set -eu
root=$1 shown=$2 target=$3 owner=$4
shift 4
cd "$root" || { echo "$shown is no folder"; exit 1; }
case $target in */) mkdir -p "$target" ;; *) mkdir -p "\${target%/*}/" ;; esac
IFS=
for source in "$@"; do
  found=
  for path in ./$source; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    found=1
    to=$target
    if [ -d "$path" ] && [ ! -L "$path" ]; then
      mkdir -p "$to"
      cp -RP "$path/." "$to"
      [ -n "$owner" ] || continue
      for inner in "$path"/* "$path"/.[!.]*; do
        [ -e "$inner" ] || [ -L "$inner" ] || continue
        chown -R "$owner" "\${to%/}/\${inner##*/}"
      done
    else
      case $to in */) to=$to\${path##*/} ;; esac
      cp -P "$path" "$to"
      [ -z "$owner" ] || chown "$owner" "$to"
    fi
  done
  [ -n "$found" ] || { echo "$source is not in $shown"; exit 1; }
done
`

/** Keeps what a later stage copies out of this one, in numbered folders, for its container is gone by then. */
const keeping = `set -eu
into=$1
shift
rm -rf "$into"
IFS=
at=0
cd /
for source in "$@"; do
  mkdir -p "$into/$at"
  found=
  for path in ./\${source#/}; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    found=1
    cp -RP "$path" "$into/$at/"
  done
  [ -n "$found" ] || { echo "$source is not in that stage"; exit 1; }
  at=$((at + 1))
done
`

/** One program inside, as `exec` takes it. */
export type Doing = { line: number; said: string; argv: string[]; env: string[]; user: string }

const asRoot = (argv: string[]) => ({ argv, env: [], user: '0' })

/** Where it was left, as `keeping` numbers it. A pattern may have found several. */
const left = (source: string, at: number): string => `${at}/${/[*?[]/.test(source) ? '*' : source.split('/').at(-1)}`

/** What a task is inside. `number` tells it from all others of its build; `from` is what COPY reads from, and where stages leave things. */
export function doing(task: Task, id: string, number: number, from: { root: Root; stages: string }): Doing {
  const { line, said } = task
  if (task.kind === 'run') {
    const { argv, env } = running(task.argv, id, task.folder)
    return { line, said, argv, env: [...env, ...task.env], user: task.user }
  }
  if (task.kind === 'folder') return { line, said, ...asRoot(['/bin/mkdir', '-p', task.path]) }
  const kept = `${from.stages}/${number}`
  const [root, sources] =
    task.stage === null ? [from.root, task.sources] : [{ path: kept, shown: 'that stage' }, task.sources.map(left)]
  const words = [root.path, root.shown, task.target, task.owner, ...sources]
  return { line, said, ...asRoot(['/bin/sh', '-c', copying, 'dcm', ...words]) }
}

/** What keeps the sources of a later stage's task, where stages leave things. */
export const keep = (task: Task & { kind: 'copy' }, number: number, stages: string): Doing => ({
  ...{ line: task.line, said: task.said },
  ...asRoot(['/bin/sh', '-c', keeping, 'dcm', `${stages}/${number}`, ...task.sources]),
})
