import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mostLayers } from '../../src/core/host/docker/commit.ts'
import { ask, open, sharedSocket } from '../setup/engine.ts'
import {
  baseRef,
  clearHost,
  createLogin,
  createMember,
  createRealHost,
  enterable,
  type Login,
  type RealHost,
  ssh,
  type TestMember,
} from '../setup/host.ts'

type Config = {
  Labels: Record<string, string> | null
  Env: string[]
  Entrypoint: string[] | null
  Cmd: string[]
  User: string
  Healthcheck?: { Test: string[] }
  Volumes: unknown
  ExposedPorts: unknown
  OnBuild: unknown
}

describe('images', () => {
  let real: RealHost
  let member: TestMember
  let login: Login
  beforeAll(async () => {
    real = await createRealHost('hc')
    member = await createMember(real, 'one')
    login = await createLogin(real.data)
  })
  afterAll(async () => {
    await clearHost(real)
    await real.close()
  })
  const enter = (more?: Parameters<TestMember['make']>[0]) => enterable(real, member, login, more)
  const configOf = async (id: string) =>
    (await ask<{ Config: Config }>(sharedSocket, 'GET', `/images/${id}/json`)).Config
  const tag = (name: string) => `dcm/${real.instance}/${name}:v1`
  const build = async (lines: string, name: string) => {
    const folder = await mkdtemp(join(tmpdir(), 'dcm-image-'))
    try {
      await writeFile(join(folder, 'file'), 'content')
      await writeFile(join(folder, 'Dockerfile'), lines)
      return await real.host.engine.build(folder, tag(name), () => undefined)
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  test('B03, B09, D09: a saved container holds its changes, and no key, host key, storage or secret of -e', async () => {
    const made = await enter({ env: ['API=sesame-open', 'PUBLIC=fine'] })
    await ssh(made, login, 'echo mine >/root/work; echo storage-canary >/storage/file; echo run-canary >/run/other')
    const image = await real.host.engine.commit(made.engineId, {
      ref: tag('saved'),
      message: 'a "note"\nRUN x',
      author: 'alice',
      blankEnv: ['API'],
    })
    expect((await real.host.engine.inspect(made.engineId)).state).toBe('running')
    const config = await configOf(image.engineId)
    expect(
      Object.entries(config.Labels ?? {}).filter(([key, value]) => key.startsWith('dcm.') && value !== ''),
    ).toEqual([])
    expect(config).toMatchObject({ User: '0:0', Cmd: ['/bin/sh'], Healthcheck: { Test: ['NONE'] }, OnBuild: null })
    expect(config.Entrypoint).toEqual(['/usr/bin/env'])
    expect(config.Env).toEqual(expect.arrayContaining(['API=', 'PUBLIC=fine', 'DCM=', 'DCM_SETENV=']))
    const archive = (await buffer(await open(sharedSocket, 'GET', `/images/${image.engineId}/get`))).toString('latin1')
    const has = (text: string) => archive.includes(text)
    expect(['mine\n', 'run-canary'].filter((text) => !has(text))).toEqual([])
    const secrets = ['sesame-open', 'storage-canary', made.key.privateKey.split('\n')[2]!, login.line.split(' ')[1]!]
    expect(secrets.filter(has)).toEqual([])
    const copy = await enter({ imageId: image.engineId })
    const { stdout } = await ssh(copy, login, 'cat /root/work /storage/file; echo $PUBLIC')
    expect(stdout).toBe('mine\nstorage-canary\nfine\n')
    expect(copy.key.fingerprint).not.toBe(made.key.fingerprint)
  })

  test('B04, B05, B06, B07: what an image says of itself does not stand in the way', async () => {
    const odd = await build(
      `FROM ${baseRef}
ENTRYPOINT ["/bin/false"]
CMD ["nothing"]
WORKDIR /nope
USER 1000
HEALTHCHECK --interval=1s CMD false
STOPSIGNAL SIGUSR1
EXPOSE 1-100
VOLUME /data
LABEL dcm.owner="somebody" dcm.id="else" dcm.instance="other"
ENV LD_PRELOAD=/nowhere.so DCM_SETENV="SetEnv EVIL=1" DCM=evil
`,
      'odd',
    )
    expect(odd).toMatchObject({ volumes: ['/data'], entrypoint: ['/bin/false'] })
    const made = await enter({ imageId: odd.engineId })
    expect((await ssh(made, login, 'id -u; pwd; echo ":$EVIL:$LD_PRELOAD"; stat -f -c %T /data')).stdout).toBe(
      '0\n/root\n::\ntmpfs\n',
    )
    expect(await real.host.engine.find(made.engineName)).toMatchObject({ id: made.id })
    type Kept = {
      HostConfig: { PortBindings: Record<string, unknown> }
      Mounts: { Type: string }[]
      Config: { Healthcheck: unknown }
    }
    const kept = await ask<Kept>(sharedSocket, 'GET', `/containers/${made.engineId}/json`)
    expect(Object.keys(kept.HostConfig.PortBindings)).toEqual(['22/tcp'])
    expect(kept.Mounts.map((mount) => mount.Type)).not.toContain('volume')
    expect(kept.Config.Healthcheck).toMatchObject({ Test: ['NONE'] })
    await real.host.engine.stop(made.engineId, 30)
    expect((await real.host.engine.inspect(made.engineId)).exitCode).toBe(0)
    const hiding = await build(`FROM ${baseRef}\nVOLUME /etc\n`, 'hiding')
    await expect(member.make({ imageId: hiding.engineId })).rejects.toMatchObject({ fault: 'refused' })
  })

  test('B13: before layers run out, a saved container is made flat, with its environment and programs', async () => {
    const copies = Array.from({ length: mostLayers }, (_, at) => `COPY file /layer/${at}\n`).join('')
    const tall = await build(`FROM ${baseRef}\nENV KEPT="a \\$b \\"c\\""\n${copies}`, 'tall')
    expect(tall.layers).toBeGreaterThan(mostLayers)
    const made = await enter({ imageId: tall.engineId, env: ['OWN=1', 'SECRET=x'] })
    await ssh(made, login, 'echo mine >/root/work')
    const flat = await real.host.engine.commit(made.engineId, {
      ref: tag('flat'),
      message: '',
      author: '',
      blankEnv: ['SECRET'],
    })
    expect(flat.layers).toBeLessThan(3)
    expect(flat.env.filter((entry) => /^(KEPT|OWN|SECRET|DCM|TINI)/.test(entry)).sort()).toEqual([
      'KEPT=a $b "c"',
      'OWN=1',
    ])
    expect((await real.host.engine.imageTags()).map(({ ref }) => ref).filter((ref) => ref.includes('/step:'))).toEqual(
      [],
    )
    const copy = await enter({ imageId: flat.engineId })
    expect((await ssh(copy, login, 'cat /root/work /layer/7; ls /layer | wc -l')).stdout).toBe(
      `mine\ncontent${mostLayers}\n`,
    )
  })

  test('commit again under one name moves it, and the old one is gone when nothing needs it', async () => {
    const made = await member.make()
    const options = { ref: tag('again'), message: '', author: '', blankEnv: [] }
    const first = await real.host.engine.commit(made.engineId, options)
    const second = await real.host.engine.commit(made.engineId, options)
    expect(second.engineId).not.toBe(first.engineId)
    expect(await real.host.engine.image(first.engineId)).toBeUndefined()
    expect(await real.host.engine.image(tag('again'))).toEqual(second)
  })

  test('a build that fails says why, and a folder without a Dockerfile too', async () => {
    await expect(build(`FROM ${baseRef}\nRUN echo told-why; exit 3\n`, 'broken')).rejects.toMatchObject({
      fault: 'refused',
      message: expect.stringContaining('3'),
    })
    await expect(real.host.engine.build('/nowhere', tag('none'), () => undefined)).rejects.toMatchObject({
      name: 'HostError',
    })
    expect(await real.host.engine.image(tag('broken'))).toBeUndefined()
  })
})
