/** A Git repository to build from. `ref` as `git fetch` takes one: a branch, a tag or a whole commit's id. `folder` is below its root, `.` is that. */
export type Repository = { url: string; ref: string; folder: string }

/** Whether a text means something to be fetched, whatever the way: `https://…`, `git@host:…`, `ext::…`. */
export const isRemote = (text: string): boolean =>
  text.length <= 2000 &&
  !/\s/.test(text) &&
  /^(?:[a-z][a-z0-9+.-]*:\/\/|[a-z][a-z0-9+.-]*::|[\w.-]+@[\w.-]+:)/i.test(text)

const host = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])$/i
/** Names that git-check-ref-format(1) allows, less what is a pattern, an option or a way to write two. */
const refs = /^(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$/

/**
 * Reads `URL[#REF[:FOLDER]]`. Docker docs, "Build context", "URL fragments".
 * @returns the repository, or in a sentence why it is none that is fetched
 */
export function parseRepository(text: string): Repository | string {
  if (!/^https?:\/\//i.test(text))
    return 'A repository is fetched by http:// or https:// alone; clone others inside a container into /storage and name that folder with --context.'
  const [address, ...fragments] = text.split('#')
  let url: URL
  try {
    url = new URL(address!)
  } catch {
    return 'That is no URL of a repository; write it like https://git.example.com/team/app.git#main:folder.'
  }
  if (url.username !== '' || url.password !== '')
    return 'A URL with a password in it would be kept with the build: clone it inside a container that has the password as a secret, into /storage, and name that folder with --context.'
  if (!host.test(url.hostname) || /[\p{Cc}\s]/u.test(url.href))
    return 'That is no URL of a repository; write it like https://git.example.com/team/app.git#main:folder.'
  const fragment = fragments.join('#')
  const at = fragment.indexOf(':')
  const [ref, below] = at < 0 ? [fragment, ''] : [fragment.slice(0, at), fragment.slice(at + 1)]
  if (ref !== '' && !refs.test(ref))
    return 'What follows # is a branch, a tag or a whole commit id, and then :FOLDER; that is none.'
  const folder = below.split('/').filter((part) => part !== '' && part !== '.')
  if (folder.includes('..') || /[\p{Cc}]/u.test(below) || below.length > 400)
    return 'The folder of a repository is below its root, without .. in it.'
  return { url: url.href, ref: ref || 'HEAD', folder: folder.join('/') || '.' }
}
