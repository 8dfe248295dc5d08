import { info, type Reply } from '../reply/reply.ts'
import { reserved } from './parse.ts'

const flags = {
  '--yes': `${reserved.yes.about} What is asked about says so; dcm and ssh on a terminal ask you.`,
  '--dry-run': `${reserved['dry-run'].about} Rights, quotas and names are looked at as if it were done.`,
  '--json': `${reserved.json.about} Its data is described at /docs; the exit code is as without it.`,
  '--wait TIME': `${reserved.wait.about} dcm and ssh wait for it without this, a chat and HTTP for a while; what is not over by then goes on, and outcome ID tells how it ends.`,
  '--as MEMBER': reserved.as.about,
  '--post': reserved.post.about,
}

const sizes = {
  '512m': 'Mebibytes: k, m, g and t are 1024, 1024², 1024³ and 1024⁴ bytes, as with Docker.',
  '1.5g': 'Up to three decimals; mb and gb are the same as m and g.',
  '1048576': 'Without a letter: bytes.',
}

const times = {
  '30s, 10m, 2h, 7d, 4w': 'Seconds, minutes, hours, days of 24 hours, weeks; 1h30m adds up.',
  '--since 10m': 'So long ago; there a date like 2026-05-01 or 2026-05-01T08:00Z is good too.',
  '"0 20 * * 1-5"': 'Of schedule: minute, hour, day, month, weekday, as in crontab; --tz names the time zone.',
}

const notes: Record<string, { text: string; fields: Record<string, string> }> = {
  flags: { text: 'These flags mean the same to every command.', fields: flags },
  size: { text: 'A SIZE is a number and a letter.', fields: sizes },
  time: { text: 'A TIME is a number and a letter.', fields: times },
}

/** What help says of a word that stands in many usages: `flags`, `size`, `time`. */
export function helpNote(word: string): Reply | undefined {
  const found = Object.hasOwn(notes, word) ? notes[word] : undefined
  return found && info(found.text, { fields: found.fields, data: found.fields })
}
