import { commandExit } from '../host/exit.ts'
import type { Container } from '../model/container.ts'
import type { Works } from '../operation/define.ts'

/** Lines of the log that are looked at: after the command's last word only sshd says anything, and rarely. */
const tail = 20

/** Reads from the end of its log how a container's command has ended, and stores it. @throws HostError */
export async function readExit(works: Works, container: Container): Promise<void> {
  let text = ''
  for await (const chunk of works.host(container.hostId).engine.logs(container.engineId!, { tail }))
    text += chunk.data.toString('utf8')
  const code = commandExit(text)
  if (code !== container.commandExit) await works.store.containers.update(container.id, { commandExit: code })
}
