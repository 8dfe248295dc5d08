import type { Caller } from '../command/define.ts'
import type { Context } from '../command/context.ts'
import type { PortWish, SecretWish, ServiceWish } from '../command/intents.ts'
import { readGrants } from '../containers/admit.ts'
import { checkGrants, usableImages } from '../containers/allow.ts'
import { sealAhead } from '../containers/secrets.ts'
import { createView } from '../containers/view.ts'
import type { Container, Spec } from '../model/container.ts'
import type { Grant } from '../model/grant.ts'
import { newId } from '../model/id.ts'
import { type Image, madeToRun } from '../model/image.ts'
import { refuseContainerName, refuseName } from '../model/name.ts'
import type { Mounted } from '../model/volume.ts'
import type { Works } from '../operation/define.ts'
import { explain } from '../operation/explain.ts'
import { DcmError } from '../reply/error.ts'
import { plain } from '../reply/text.ts'
import { findImage } from './image.ts'
import { createPlaces } from './places.ts'
import { readComposition } from './read.ts'
import type { Draft } from './draft.ts'
import type { At, Problem } from './tree.ts'

/** Longest name of a project: with the longest of its services' it has to be a container's. */
const projectName = /^[a-z][a-z0-9-]{0,29}$/

const plainSpec: Omit<Spec, 'env' | 'command'> = { restart: { name: 'no' }, caps: [], devices: [], seccomp: null }

/** Goes to a folder first, where the command is to begin in one. */
const inFolder = (folder: string, command: string[]) => [
  '/bin/sh',
  '-c',
  'cd "$1" && shift && exec "$@"',
  'sh',
  folder,
  ...command,
]

/** Turns Compose files into what containers are made from, by the same rules as `create` and for one caller. */
export function createCompose(works: Works): (caller: Caller) => Context['compose'] {
  const { store } = works
  const views = createView(works)

  return (caller) => {
    const { limits } = views(caller)

    /** What an image runs by itself. One with an SSH server lives by that, and runs nothing beside it. */
    async function commandOf(draft: Draft, image: Image, silent: (argv: string[]) => void): Promise<string[]> {
      const asked = draft.entrypoint !== undefined || draft.command !== undefined
      if (image.ssh) {
        const command = [...(draft.entrypoint ?? []), ...(draft.command ?? [])]
        if (command.length === 0 && image.ownerId !== null)
          silent(madeToRun(await works.host(image.hostId).engine.inside(image.engineId)))
        return command.length > 0 && draft.folder !== undefined ? inFolder(draft.folder, command) : command
      }
      const inside = await works.host(image.hostId).engine.inside(image.engineId)
      const entrypoint = draft.entrypoint ?? inside.entrypoint
      // Another entrypoint than the image's own leaves out the image's command too (Docker docs, "Compose file: entrypoint").
      const own = draft.entrypoint === undefined || !asked ? inside.command : []
      const command = [...entrypoint, ...(draft.command ?? own)]
      const folder = draft.folder ?? inside.folder
      return command.length > 0 && folder !== '' && folder !== '/' ? inFolder(folder, command) : command
    }

    return {
      async plan(text, named, values) {
        const pairs = values.map((pair): [string, string] => [
          pair.slice(0, pair.indexOf('=')),
          pair.slice(pair.indexOf('=') + 1),
        ])
        const { composition, problems, notes } = readComposition(text, new Map(pairs))
        const project = named ?? composition.name ?? null
        const bad = ({ line, column }: At, key: string, why: string) => void problems.push({ line, column, key, why })
        const note = ({ line, column }: At, key: string, why: string) => void notes.push({ line, column, key, why })
        if (project !== null && !projectName.test(project))
          bad(
            { line: 1, column: 1 },
            'name',
            'A project is called by up to 30 of a-z, 0-9 and "-", and starts with a letter.',
          )
        const grants = readGrants(await store.grants.of(caller.person.id))
        const images = await usableImages(store, caller.person.id, grants)
        const services: ServiceWish[] = []
        const there = await store.volumes.of(caller.person.id)
        let containers: Promise<Container[]> | undefined
        const mine = () => (containers ??= store.containers.of(caller.person.id))
        const made = new Map<string, { id: string; name: string }>()
        const places = createPlaces(
          {
            ...{ project: project ?? 'project', declared: composition.networks, ownerId: caller.person.id },
            ...{ there: await store.networks.of(caller.person.id), random: works.random },
          },
          bad,
        )

        /** The volume that a name of the file stands for; one of the project that is not there yet is made with it. */
        function volumeOf(called: string, at: At, key: string): { id: string; name: string } | undefined {
          const declared = composition.volumes.get(called)
          if (!declared) return undefined
          const name = declared.external ?? `${project ?? 'project'}-${called.toLowerCase().replace(/[._]/g, '-')}`
          const found = there.find((volume) => volume.name === name) ?? made.get(name)
          if (found) return found
          const why = declared.external === undefined ? refuseName(name) : undefined
          if (declared.external !== undefined)
            bad(at, key, `You have no volume called ${name.slice(0, 60)}; volume create makes one.`)
          else if (why) bad(at, key, `The volume would be called ${name.slice(0, 60)}. ${why}`)
          else made.set(name, { id: newId(works.random), name })
          return made.get(name)
        }

        /** Those with a value, sealed; one that is external has to be its container's already. */
        async function secretsOf({ service, secrets }: Draft, name: string, key: string): Promise<SecretWish[]> {
          const { person } = caller
          const container = (await mine()).find(
            ({ spec }) => spec.compose?.project === project && spec.compose?.service === service,
          )
          const has = container ? (await store.secrets.of(container.id)).map((secret) => secret.name) : []
          return secrets.flatMap(({ name: called, file, at }): SecretWish[] => {
            const declared = composition.secrets.get(called)
            if (!declared) return []
            if (declared.value !== null)
              return [{ name: file, sealed: sealAhead(works.seal, person.id, service, file, declared.value) }]
            if (declared.external && !has.includes(file))
              bad(
                at,
                `${key}.secrets`,
                `${name} has no secret ${file} yet: write environment: NAME in the place of external, with -e NAME=VALUE${container ? ', or give it with secret set' : ''}.`,
              )
            return [{ name: file, sealed: null }]
          })
        }

        for (const draft of composition.services) {
          const key = `services.${draft.service}`
          const name = `${project ?? 'project'}-${draft.service}`
          const why = refuseContainerName(name)
          if (why && projectName.test(project ?? 'project'))
            bad(draft.at, key, `Its container would be called ${name}. ${why}`)
          const mounted = draft.volumes.flatMap(({ name: called, path, readOnly, at }): Mounted[] => {
            const found = volumeOf(called, at, `${key}.volumes`)
            return found ? [{ id: found.id, name: found.name, path, readOnly }] : []
          })
          const secrets = await secretsOf(draft, name, key)
          const placed = places.of(draft.service, draft.networks, draft.at)
          const image = findImage(images, draft, { name, key }, bad, note)
          granted(grants, draft, key, bad)
          const bounds = await limits({ memory: undefined, cpus: undefined, pids: undefined, ...draft.limits }).catch(
            (error: unknown) => {
              if (!(error instanceof DcmError)) throw error
              bad(draft.limitsAt, key, error.message)
            },
          )
          if (!image || !bounds) continue
          const silent = (argv: string[]) => {
            if (argv.length > 0)
              note(
                draft.at,
                key,
                `Nothing is run beside the SSH server: what ${image.ref} was made to run is run by "command: ${plain(JSON.stringify(argv)).slice(0, 300)}".`,
              )
          }
          services.push({
            ...{ service: draft.service, name, imageId: image.id, imageRef: image.ref, limits: bounds },
            spec: {
              ...plainSpec,
              env: [...draft.env].map(([variable, value]) => `${variable}=${value}`).toSorted(),
              command: await commandOf(draft, image, silent).catch((error: unknown) => Promise.reject(explain(error))),
              restart: draft.restart?.policy ?? plainSpec.restart,
              caps: [...new Set(draft.caps.map(({ cap }) => cap))],
              ...(mounted.length > 0 ? { volumes: mounted } : {}),
              ...(placed?.[0] && placed[0].id !== caller.person.id
                ? { network: { id: placed[0].id, name: placed[0].name } }
                : {}),
              compose: {
                ...{ project: project ?? 'project', service: draft.service },
                ...(placed ? { networks: placed } : {}),
              },
            },
            ports: portsOf(grants, draft),
            ...(secrets.length > 0 ? { secrets } : {}),
            waits: draft.waits.map(({ service, healthy }) => ({
              service,
              health: healthy ? (composition.services.find((one) => one.service === service)?.health ?? null) : null,
            })),
          })
        }
        return {
          project,
          services,
          volumes: [...made.values()],
          networks: places.made(),
          problems: problems.toSorted(byPlace),
          notes: notes.toSorted(byPlace),
        }
      },
    }
  }
}

const byPlace = (a: Problem, b: Problem) => a.line - b.line || a.column - b.column

/** The outer port that is written is asked for only where a grant gives it; else DCM picks one. */
const portsOf = (grants: readonly Grant[], draft: Draft): PortWish[] =>
  draft.ports.map(({ wish: { container, proto, host } }) =>
    host !== undefined && grants.some((grant) => grant.kind === 'port' && grant.port === host)
      ? { container, proto, host }
      : { container, proto },
  )

/** What only an admin can permit, each at its own place. */
function granted(
  grants: readonly Grant[],
  draft: Draft,
  key: string,
  bad: (at: At, key: string, why: string) => void,
): void {
  const check = (at: At, what: string, spec: Partial<Spec>) => {
    try {
      checkGrants(grants, { ...plainSpec, env: [], command: [], ...spec }, [])
    } catch (error) {
      if (!(error instanceof DcmError)) throw error
      bad(at, `${key}.${what}`, error.message)
    }
  }
  if (draft.restart) check(draft.restart.at, 'restart', { restart: draft.restart.policy })
  for (const { cap, at } of draft.caps) check(at, 'cap_add', { caps: [cap] })
}
