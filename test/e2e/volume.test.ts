import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dcm, startDcm } from './support/dcm.ts'
import { lookAt } from './support/engine.ts'
import type { Member } from './support/member.ts'

let [dcm, alice]: [Dcm, Member] = [] as never
beforeAll(async () => {
  dcm = await startDcm()
  alice = await dcm.member('alice')
})
afterAll(() => dcm?.[Symbol.asyncDispose]())

const inside = async (name: string, command: string) => (await alice.ssh(name, command)).stdout.trim()

test('a volume outlives its containers, is where it was wished, and no other folder of the host is', async () => {
  await dcm.must('quota set alice disk=64m')
  await alice.must('volume create data')
  await alice.must('create web --image debian -v data:/var/lib/data')
  await inside('web', 'echo kept >/var/lib/data/file; ls /storage')
  await alice.must('rm -f web')
  await alice.must('create db --image debian -v data:/srv:ro -v data:/opt/rw')
  expect(await inside('db', 'cat /srv/file; touch /srv/x 2>/dev/null || echo read-only; ls /storage | wc -l')).toBe(
    'kept\nread-only\n0',
  )
  const [container] = (await lookAt(dcm.engine, dcm.instance())).containers
  const sources = container!.Mounts.map((mount) => mount.Source).filter((path) => path.includes('/volumes/'))
  expect(sources).toHaveLength(2)
  for (const source of sources) expect(source.startsWith(join(dcm.dataDir, 'storage'))).toBe(true)
})

test('D07: it ends where the quota of disk does, and df counts it', async () => {
  const out = await inside('db', 'head -c 200000000 /dev/zero 2>&1 >/opt/rw/big; stat -c %s /opt/rw/big')
  expect(out).toContain('No space left on device')
  const { data } = await alice.must<{ storage: number }>('df')
  expect(data.storage).toBeGreaterThan(30 * 2 ** 20)
  await inside('db', 'rm /opt/rw/big')
})

test('no link, of an image or in a volume, brings a folder of a member over a place of the system', async () => {
  await dcm.must('quota set alice disk=1g')
  await alice.must('volume create bait')
  expect((await alice.run('create nested --image debian -v data:/data -v bait:/data/sub')).error).toBe('usage')
  await alice.must('create trap --image debian -v bait:/bait')
  // What a runtime that follows the link would open as /dev/null.
  await inside(
    'trap',
    'for at in /bait /storage; do mkdir -p $at/shm $at/pts $at/mqueue; ln -sf /proc/sys/kernel/hostname $at/null; done',
  )
  await inside('trap', 'ln -s /dev /x; rm -f /storage; ln -s /dev /storage')
  await alice.must('commit trap trap:x')
  await alice.must('create sprung --image trap:x -v bait:/x')
  const devices = await inside(
    'sprung',
    'stat -c %F /dev/null /dev/zero; awk \'$5 ~ "^/(dev|proc)/[^ ]*null|^/dev$" {print $3, $5, $9}\' /proc/self/mountinfo | grep -v tmpfs',
  )
  expect(devices).toBe('character special file\ncharacter special file')
  expect(await inside('sprung', 'cat /proc/sys/kernel/hostname; ls /storage /x | sort -u | tr "\\n" " "')).toMatch(
    /^sprung\n.*mqueue null pts shm/,
  )
  await alice.must('rm -f trap sprung')
  await alice.must('rmi trap:x --yes')
  await alice.must('volume rm bait --yes')
})

test('D02: what is in it is not followed on the host, and with it it is gone', async () => {
  await inside('db', 'cd /opt/rw && ln -s / root && ln -s /etc/passwd p && mkdir -p a/b && echo x >a/b/c')
  expect((await alice.run('volume rm data --yes')).error).toBe('conflict')
  await alice.must('rm -f db')
  await alice.must('volume rm data --yes')
  expect(existsSync('/etc/passwd')).toBe(true)
  const [owner] = (await readdir(join(dcm.dataDir, 'storage'))).filter((name) => !name.endsWith('.img'))
  expect(await readdir(join(dcm.dataDir, 'storage', owner!, 'volumes'))).toEqual([])
})
