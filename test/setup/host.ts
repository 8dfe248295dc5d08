import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDockerHost } from '../../src/core/host/docker/index.ts'
import type { Host } from '../../src/core/host/host.ts'

/** A host over the engine that tests share, under an instance id and a data folder of its own. */
export type RealHost = { host: Host; instance: string; imageId: string; data: string; close(): Promise<void> }

/**
 * Opens a host over a real engine, with a small image that holds sshd. The image is built once and its layers stay in
 * the engine's cache for the next run, though its name goes.
 */
export async function createRealHost(
  instance: string,
  options: { socket?: string; data?: string; egress?: string[] } = {},
): Promise<RealHost> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), `dcm-${instance}-`)))
  const host = createDockerHost({
    id: 'local',
    instance,
    dataDir: data,
    dockerHost: `unix://${options.socket ?? '/var/run/docker.sock'}`,
    bindHost: '127.0.0.1',
    egressAllow: options.egress ?? ['apt'],
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    now: Date.now,
  })
  const image = await buildTestImage(host, instance)
  return {
    host,
    instance,
    imageId: image.engineId,
    data,
    async close() {
      for (const { ref } of await host.engine.imageTags()) await host.engine.untag(ref)
      host.close()
      await rm(data, { recursive: true, force: true })
    },
  }
}

const dockerfile = `FROM debian:bookworm-slim
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openssh-server procps busybox \\
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_*
`

/** Builds the image through the host's own build call, for later runs from the engine's cache. */
export async function buildTestImage(host: Host, instance: string) {
  const folder = await mkdtemp(join(tmpdir(), 'dcm-image-'))
  try {
    await writeFile(join(folder, 'Dockerfile'), dockerfile)
    return await host.engine.build(folder, `dcm/${instance}/base:test`, () => undefined)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
