import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { engineRefOf } from '../core/containers/named.ts'
import { systemAsker } from '../core/operation/asker.ts'
import type { Works } from '../core/operation/define.ts'
import type { Runner } from '../core/operation/runner.ts'

/** The folders under `images/`, by name. */
export async function readRecipes(folder: string): Promise<Map<string, string>> {
  const all = await readdir(folder, { withFileTypes: true })
  return new Map(all.filter((one) => one.isDirectory()).map(({ name }) => [name, join(folder, name)]))
}

/**
 * Builds the images under `images/` that are not there yet and offers them. One that an admin has withdrawn stays
 * withdrawn. `say` gets a line now and then.
 * @throws HostError when a build fails, with the end of its log
 */
export async function offerImages(deps: {
  works: Works
  runner: Runner
  folder: string
  say(line: string): void
}): Promise<void> {
  const { works, runner, folder, say } = deps
  const { store, place, settings } = works
  const host = works.host(settings.hostId)
  for (const entry of [...(await readRecipes(folder)).keys()].toSorted()) {
    const ref = `${entry}:latest`
    const row = await store.images.byRef(null, ref)
    if (row && (await host.engine.image(row.engineRef))) continue
    if (!row && (await store.site.get(`offered:${entry}`))) continue
    const about = /^# about: (.*)$/m.exec(await readFile(join(folder, entry, 'Dockerfile'), 'utf8'))?.[1] ?? ''
    say(`Building the image ${entry}; the first time takes a minute or two.`)
    const built = engineRefOf(place.instance, `build-${entry}`)
    let last = 0
    await host.engine.build(join(folder, entry), built, (line) => {
      if (performance.now() - last < 3000 || !line.startsWith('Step ')) return
      last = performance.now()
      say(`  ${entry}: ${line.trim().slice(0, 100)}`)
    })
    const asker = systemAsker(works.random, 'image offer', { ownerId: null, target: ref })
    const id = await runner.begin('offer-image', { source: built, ref, about, restricted: false }, asker)
    const outcome = await runner.wait(id, {})
    if (outcome?.reply?.error) throw new Error(outcome.reply.text)
    await host.engine.untag(built)
    await store.site.set(`offered:${entry}`, true)
  }
}
