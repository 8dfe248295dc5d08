import { z } from 'zod'
import type { ComposeLine, ComposePlan } from '../../core/command/views.ts'
import type { Container } from '../../core/model/container.ts'
import { refuseFileName } from '../../core/model/name.ts'
import { DcmError } from '../../core/reply/error.ts'

/** The arguments by which a Compose file comes. */
export const fileArgs = {
  file: {
    kind: 'document',
    about: 'The Compose file: from a form, a file (@compose.yaml) or standard input (-).',
    secret: true,
    hidden: true,
  },
  project: {
    kind: 'container-name',
    flag: true,
    short: 'p',
    optional: true,
    about: 'What the whole is called; `name` in the file when absent.',
  },
  env: {
    kind: 'env',
    flag: true,
    short: 'e',
    many: true,
    optional: true,
    secret: true,
    about: 'A value for a variable of the file.',
  },
} as const

export const lineData = z.object({ line: z.number().int(), column: z.number().int(), key: z.string(), why: z.string() })

/** Lines as a table. */
export const tableOf = (lines: readonly ComposeLine[]) => ({
  head: ['LINE', 'KEY', 'WHY'],
  rows: lines.map(({ line, column, key, why }) => [`${line}:${column}`, key, why]),
})

/** @throws DcmError `usage` when nothing came, or the name of a file in its place */
export function given(file: string): string {
  const name = /^@|\.ya?ml$/.test(file) && refuseFileName(file)
  if (name) throw new DcmError('usage', name, { try: 'help compose up' })
  if (file !== '-' && file.trim() !== '') return file
  throw new DcmError('usage', 'No file came: say dcm compose up @compose.yaml, or send it on standard input.', {
    try: 'help compose up',
  })
}

/** What may be brought up. @throws DcmError `usage` with every line that is in the way */
export function sound(plan: ComposePlan): ComposePlan & { project: string } {
  const { problems, project } = plan
  if (problems.length > 0)
    throw new DcmError(
      'usage',
      `${problems.length === 1 ? 'One line' : `${problems.length} lines`} of this file cannot be had here; nothing was done.`,
      {
        table: tableOf(problems),
        try: 'help compose check',
      },
    )
  if (project === null)
    throw new DcmError('usage', 'Say what the whole is called: with -p NAME, or name: in the file.', {
      try: 'help compose up',
    })
  return { ...plan, project }
}

/** Those of the caller's containers that are of a project; none only where `other` things of it are there. @throws DcmError `not_found` */
export function partsOf(project: string, all: readonly Container[], other = false): Container[] {
  const parts = all.filter((one) => one.spec.compose?.project === project)
  if (parts.length > 0 || other) return parts
  const names = [...new Set(all.flatMap((one) => one.spec.compose?.project ?? []))]
  throw new DcmError(
    'not_found',
    `You have no composition called ${project.slice(0, 40)}${names.length > 0 ? `; there is ${names.slice(0, 5).join(', ')}` : ''}.`,
    {
      try: 'compose ps',
    },
  )
}

/** The argument that names a project. */
export const projectArg = { kind: 'container-name', about: 'The composition, by the name of its project.' } as const
