/** Prints what a compromised container would look at first, a line each: `name value`. POSIX sh. */
export const probe = `
say() { echo "$1 $2"; }
status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
can() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
writes() { if ( : >>"$1" ) 2>/dev/null; then echo yes; else echo no; fi; }
say bounding $(status CapBnd)
say privileges $(status NoNewPrivs)
say seccomp $(status Seccomp)
say usernamespace $(can unshare -U true)
say mountnamespace $(can unshare -m true)
mkdir -p /tmp/probe
say mount $(can mount -t tmpfs none /tmp/probe)
say remount $(can mount -o remount,rw,bind /run/dcm)
say mknod $(can mknod /tmp/node b 7 0)
say kernel-log $(can dmesg)
say core-pattern $(writes /proc/sys/kernel/core_pattern)
say sysrq $(writes /proc/sysrq-trigger)
say cgroup $(writes /sys/fs/cgroup/memory/memory.limit_in_bytes)
say run-folder $(writes /run/dcm/authorized_keys)
say socket $(ls /var/run/docker.sock /run/docker.sock /run/containerd 2>/dev/null | wc -l)
say processes $(cat /proc/1/comm)
say core $(ulimit -c)
say firmware $(ls /sys/firmware | wc -l)
say keys $(wc -c </proc/keys)
say devices $(find /dev -xdev '(' -type b -o -type c ')' | grep -vE '^/dev/(null|zero|full|random|urandom|tty|console|ptmx|pts/.*)$' | wc -l)
say interfaces $(ls /sys/class/net | grep -cvE '^(lo|eth[0-9]+|.*tunl?[0-9]|sit0|gre.*|erspan0|ip6?_vti0|ip6tnl0|ip6gre0)$')
say foreign-mounts $(awk '$5 != "/" && $5 !~ "^/(proc|sys|dev)(/|$)" {print $5}' /proc/self/mountinfo | grep -cvE '^/(etc/(hosts|hostname|resolv.conf)|run/dcm(/storage)?|(usr/)?sbin/docker-init|dev/init)$')
say storage $(awk '$5 == "/run/dcm/storage" {print $6}' /proc/self/mountinfo | tr , '\\n' | grep -cE '^(nosuid|nodev)$')
`

/** Tries connections from inside: `reached` or `closed` for each `address:port`. */
export const reach = (targets: readonly string[]) =>
  `${targets
    .map(
      (target) =>
        `{ timeout 3 bash -c 'exec 3<>/dev/tcp/${target.replace(':', '/')}' 2>/dev/null && echo "${target} reached" || echo "${target} closed"; } &`,
    )
    .join('\n')}\nwait`
