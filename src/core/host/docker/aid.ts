import { randomBytes } from 'node:crypto'
import { HostError } from '../fault.ts'
import { labels } from './create.ts'
import { logFrames } from './frames.ts'
import { fullId, fullImage } from './names.ts'
import { array, number, object, string, stringMap } from './read.ts'
import { deadlines, type Wire } from './wire.ts'
import { pieces } from './stream.ts'

/** What a short-lived container of DCM's own is for: to look into an image, or to do one thing in one folder. */
export type AidWish = {
  imageId: string
  command: string[]
  /** The one folder that it sees, at `/aid`. */
  folder?: string
  caps?: string[]
  /** Its variables, where the usual ones will not do. */
  env?: string[]
}

/**
 * Short-lived containers of DCM's own. They have no network and no member's mounts, and carry another label than
 * members' containers, so that no list or event ever shows them.
 */
export function createAid(wire: Wire, instance: string) {
  const remove = async (id: string) => {
    const ask = { query: { force: 1, v: 1 }, deadline: deadlines.start, allow: [404, 409] }
    await wire.call('DELETE', ['containers', id], { ...ask, pool: 'long' })
  }

  /** Those that a crash left behind. */
  const sweep = async () => {
    const filters = JSON.stringify({ label: [`${labels.aid}=${instance}`] })
    const { body } = await wire.call('GET', ['containers', 'json'], {
      query: { all: 1, filters },
      deadline: deadlines.short,
    })
    const what = 'the list of containers'
    for (const value of array(body, what)) {
      const item = object(value, what)
      const old = number(item.Created, what) * 1000 < Date.now() - 3_600_000
      if (old && stringMap(item.Labels)[labels.aid] === instance && fullId.test(string(item.Id, what)))
        await remove(string(item.Id, what))
    }
  }

  const create = async (wish: AidWish): Promise<string> => {
    const body = {
      Image: fullImage(wish.imageId),
      User: '0:0',
      WorkingDir: '/',
      Env: wish.env ?? [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'LD_PRELOAD=',
        'LD_LIBRARY_PATH=',
      ],
      Entrypoint: [wish.command[0]],
      Cmd: wish.command.slice(1),
      Labels: {
        [labels.instance]: '',
        [labels.owner]: '',
        [labels.id]: '',
        [labels.wish]: '',
        [labels.aid]: instance,
        [labels.built]: '',
      },
      Healthcheck: { Test: ['NONE'] },
      StopSignal: 'SIGKILL',
      HostConfig: {
        NetworkMode: 'none',
        RestartPolicy: { Name: 'no' },
        CapDrop: ['ALL'],
        CapAdd: wish.caps ?? [],
        SecurityOpt: ['no-new-privileges'],
        CgroupnsMode: 'private',
        IpcMode: 'private',
        Memory: 256 * 1024 ** 2,
        MemorySwap: 256 * 1024 ** 2,
        NanoCpus: 1_000_000_000,
        PidsLimit: 32,
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
        Mounts:
          wish.folder === undefined ? [] : [{ Type: 'bind', Source: wish.folder, Target: '/aid', ReadOnly: false }],
      },
    }
    const query = { name: `dcm-${instance}-aid-${randomBytes(8).toString('hex')}` }
    const answer = await wire.call('POST', ['containers', 'create'], {
      query,
      body,
      deadline: deadlines.start,
      pool: 'long',
    })
    const id = string(object(answer.body, 'create').Id, 'create')
    if (!fullId.test(id)) throw new HostError('broken', 'The engine gave no id.')
    return id
  }

  return {
    /** Makes one that is never started, lends it, and removes it whatever happens. */
    async lend<T>(wish: AidWish, use: (id: string) => Promise<T>): Promise<T> {
      await sweep()
      const id = await create(wish)
      try {
        return await use(id)
      } finally {
        await remove(id).catch(() => undefined)
      }
    },

    /** Runs one to its end. @returns its exit code, and the first of what it wrote to its standard output */
    async run(wish: AidWish, deadline: number): Promise<{ code: number; output: string }> {
      return this.lend(wish, async (id) => {
        await wire.call('POST', ['containers', id, 'start'], { deadline: deadlines.start, pool: 'long' })
        const { body } = await wire.call('POST', ['containers', id, 'wait'], { deadline, pool: 'long' })
        const response = await wire.open('GET', ['containers', id, 'logs'], {
          query: { stdout: 1 },
          deadline: deadlines.short,
        })
        let output = ''
        for await (const { data } of logFrames(pieces(response, deadlines.idle, 'logs')))
          if ((output += data.toString('utf8')).length > 65_536) break
        return { code: number(object(body, 'wait').StatusCode, 'wait'), output }
      })
    },
  }
}

export type Aid = ReturnType<typeof createAid>
