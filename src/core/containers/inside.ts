/** A terminal as the caller has it: its name for terminfo, and its size in characters. */
export type Terminal = { term: string; columns: number; rows: number }

/** What is run inside a container for someone who comes in: a login shell, one command of that shell, or file transfer. */
export type Inside = { kind: 'shell' | 'sftp' } | { kind: 'command'; line: string }

/** Ties the processes of one session together, so that a signal finds them again. */
const marker = 'DCM_SESSION'

/**
 * Becomes root's shell as the image's passwd(5) names it, in root's home. Only a POSIX sh is asked of the image. What
 * the entry program needs is taken out of the environment, as sshd's sessions do not have it either.
 */
const come = `unset DCM_SETENV TINI_KILL_PROCESS_GROUP
shell=
if [ -r /etc/passwd ]; then
  while IFS=: read -r _ _ uid _ _ home login; do
    [ "$uid" = 0 ] && shell=$login && break
  done </etc/passwd
fi
case $shell in */nologin|*/false) shell= ;; esac
if [ -z "$shell" ] || [ ! -x "$shell" ]; then
  if [ -x /bin/bash ]; then shell=/bin/bash; else shell=/bin/sh; fi
fi
[ -n "$home" ] && [ -d "$home" ] && HOME=$home
export SHELL="$shell" HOME="\${HOME:-/}" USER=root LOGNAME=root
cd "$HOME" 2>/dev/null || cd /
case $1 in
shell) exec "$shell" -l ;;
command) exec "$shell" -c "$2" ;;
esac
for file in /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server /usr/libexec/sftp-server /usr/lib/misc/sftp-server /usr/local/libexec/sftp-server; do
  [ -x "$file" ] && exec "$file"
done
own=/run/dcm/sftp
[ -x $own/ld.so ] && exec $own/ld.so --library-path $own $own/sftp-server
echo 'This container has no sftp-server, which sftp and scp need; install it (Debian: openssh-sftp-server), or pipe files through ssh with cat or tar.' >&2
exit 127
`

/** Finds the session's first process (it has no parent inside, and leads its session; proc(5)), and signals its group or its terminal's. */
const tell = `for file in /proc/[0-9]*/stat; do
  read -r line <"$file" || continue
  pid=\${line%% *}
  rest=\${line##*) }
  set -- "$1" "$2" $rest
  [ "$4" = 0 ] && [ "$6" = "$pid" ] || continue
  tr '\\0' '\\n' <"/proc/$pid/environ" | grep -qx "${marker}=$1" || continue
  if [ "$2" = HUP ] && [ "$8" -gt 0 ]; then kill -s HUP -- "-$8"; fi
  kill -s "$2" -- "-$pid"
done 2>/dev/null
`

/** How a session begins: argv and environment of its first process. `id` names it for `signalling`. */
export function entering(what: Inside, id: string, terminal: Terminal | null): { argv: string[]; env: string[] } {
  const term = terminal && (/^[A-Za-z0-9._+-]{1,64}$/.test(terminal.term) ? terminal.term : 'xterm')
  return {
    argv: ['/bin/sh', '-c', come, 'dcm', what.kind, what.kind === 'command' ? what.line : ''],
    env: [`${marker}=${id}`, ...(term ? [`TERM=${term}`] : [])],
  }
}

/** Runs a program's words as they are, in a folder of the container. A folder that is not there is exit code 126, as a shell's. */
const words = `unset DCM_SETENV TINI_KILL_PROCESS_GROUP
cd "$1" || exit 126
shift
exec "$@"
`

/** How one program is run, without a shell's reading of its words: argv and environment. `id` names it for `signalling`. */
export const running = (argv: readonly string[], id: string, folder: string): { argv: string[]; env: string[] } => ({
  argv: ['/bin/sh', '-c', words, 'dcm', folder, ...argv],
  env: [`${marker}=${id}`],
})

/** Signals of RFC 4254 section 6.10 that are passed on. */
export const signals = ['ABRT', 'ALRM', 'HUP', 'INT', 'KILL', 'PIPE', 'QUIT', 'TERM', 'USR1', 'USR2'] as const
export type Signal = (typeof signals)[number]

/** What sends a signal to a session that `entering` began; HUP also to whatever its terminal has in front. */
export const signalling = (id: string, signal: Signal): { argv: string[]; env: string[] } => ({
  argv: ['/bin/sh', '-c', tell, 'dcm', id, signal],
  env: [],
})
