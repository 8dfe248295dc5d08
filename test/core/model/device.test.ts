import { expect, test } from 'vitest'
import { refuseDevice } from '../../../src/core/model/device.ts'

test.each([
  '/dev/dri/renderD128',
  '/dev/kvm',
  '/dev/nvidia0',
  '/dev/ttyUSB0',
  '/dev/net/tun',
  '/dev/fuse',
  '/dev/video0',
  '/dev/snd/controlC0',
  '/dev/bus/usb/001/002',
  '/dev/sgx_enclave',
])('%s can be offered', (path) => {
  expect(refuseDevice(path)).toBeUndefined()
})

test.each([
  '/dev/sda',
  '/dev/sdaa1',
  '/dev/vda',
  '/dev/xvda1',
  '/dev/nvme0n1p1',
  '/dev/nvme0',
  '/dev/mmcblk0',
  '/dev/loop0',
  '/dev/loop-control',
  '/dev/dm-0',
  '/dev/md127',
  '/dev/mapper/root',
  '/dev/disk/by-id/x',
  '/dev/block/8:0',
  '/dev/sg0',
  '/dev/sr0',
  '/dev/zram0',
  '/dev/nbd0',
  '/dev/root',
])('%s is a disk', (path) => {
  expect(refuseDevice(path)).toMatch(/\.$/)
})

test.each([
  '/dev/mem',
  '/dev/kmem',
  '/dev/kmsg',
  '/dev/core',
  '/dev/kcore',
  '/dev/port',
  '/dev/tty',
  '/dev/tty1',
  '/dev/ttyS0',
  '/dev/console',
  '/dev/pts/0',
  '/dev/cpu/0/msr',
  '/dev/input/event0',
  '/dev/uinput',
  '/dev/shm/x',
  '/dev/snapshot',
  '/dev/fd/3',
])('%s is as good as root', (path) => {
  expect(refuseDevice(path)).toMatch(/\.$/)
})

test.each([
  '',
  '/dev',
  '/dev/',
  'dev/kvm',
  '/dev/../etc/passwd',
  '/dev/./sda',
  '/dev//sda',
  '/dev/kvm/',
  '/etc/passwd',
  '/dev/kvm:rwm',
  '/dev/kvm\n',
  '/dev/a b',
  '/DEV/kvm',
  '/dev/dri/../sda',
  `/dev/${'x'.repeat(200)}`,
])('%j is no path below /dev', (path) => {
  expect(refuseDevice(path)).toMatch(/\.$/)
})
