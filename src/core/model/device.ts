/** What an admin may call a device or a seccomp profile; grants and flags name it so. */
export const givenName = /^[a-z][a-z0-9-]{0,30}$/

// Whole memory, kernel logs, ports of the machine, consoles and what rewrites the running kernel: each is as good as root.
const rootLike =
  /^(?:mem|kmem|core|kcore|kmsg|port|nvram|snapshot|autofs|watchdog\d*|cpu|console|tty\d*|ttyS\d+|vcsa?u?\d*|ptmx|pts|shm|mqueue|fd|std(?:in|out|err)|initctl|log|input|uinput|uhid|hugepages|cpu_dma_latency|userfaultfd|vfio|mapper)(?:\/|$)/

// Disks by their kernel names (Linux Documentation/admin-guide/devices.txt) and udev's folders of links to them.
const disks =
  /^(?:[hsv]d[a-z]+\d*|xvd[a-z]+\d*|nvme\d.*|ng\d.*|mmcblk\d.*|loop.*|dm-\d+|md.*|nbd.*|ram\d+|zram.*|sr\d+|scd\d+|sg\d+|st\d+|nst\d+|fd\d+.*|pmem.*|zd\d+|drbd.*|rbd.*|bcache.*|cdrom|dvd|root|disk|block|bsg|btrfs-control|device-mapper)(?:\/|$)/

/**
 * @returns why a path cannot be an offered device, or undefined when it can. A link that points to a disk can only be
 * told on the host, which looks again.
 */
export function refuseDevice(path: string): string | undefined {
  if (!/^\/dev(?:\/[A-Za-z0-9][A-Za-z0-9_.-]*)+$/.test(path) || path.length > 100 || path.includes('..'))
    return 'A device is a path below /dev, like /dev/dri/renderD128.'
  const name = path.slice('/dev/'.length)
  if (disks.test(name)) return `${path} is a disk, which nobody gets; members have /storage.`
  if (rootLike.test(name)) return `${path} is as good as root on the host, so it cannot be offered.`
  return undefined
}
