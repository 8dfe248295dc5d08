import { text as readText } from 'node:stream/consumers'
import { send } from './send.ts'
import type { Where } from './where.ts'

// The service completes whole words. Bash also breaks words at ":" and "=", and wants only what follows those.
const bash = `_dcm() {
  local line=\${COMP_LINE:0:COMP_POINT} word
  word=\${line##*[[:space:]]}
  local cut=\${word%"\${word##*[:=]}"}
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete "$line" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
  [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o default 2>/dev/null
}
complete -F _dcm dcm
`

const zsh = `#compdef dcm
_dcm() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete "$LBUFFER" 2>/dev/null)}")
  found=("\${(@)found:#}")
  (( \${#found} )) && compadd -- "\${found[@]}" || _files
}
compdef _dcm dcm
`

/** The script that teaches a shell. @returns undefined for a shell that is not known */
export const completionScript = (shell: string | undefined): string | undefined =>
  shell === 'bash' ? bash : shell === 'zsh' ? zsh : undefined

/** What could stand at the end of a typed line that begins with the name of this program. Whatever goes wrong: nothing. */
export async function candidates(where: Where, line: string): Promise<string[]> {
  try {
    const body = { line: line.replace(/^\s*\S+\s+/, '') }
    const answer = await send(where, {
      method: 'POST',
      path: '/v1/line/complete',
      body,
      accept: 'application/json',
      timeout: 2000,
    })
    const { candidates: found } = JSON.parse(await readText(answer)) as { candidates?: unknown }
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string' && /^[\x21-\x7e]+$/.test(one)) : []
  } catch {
    return []
  }
}
