import { HostError, isFault } from '../host/fault.ts'
import { DcmError } from '../reply/error.ts'
import { down, unreachable, violated } from '../store/db.ts'

/** Whether trying again in a moment may simply work: nobody answered. */
export const passing = (error: unknown): boolean =>
  isFault(error, 'down') || (error instanceof DcmError && error.code === 'unavailable') || unreachable(error)

const caps: Record<string, string> = {
  usage_containers: 'containers',
  usage_running: 'running containers',
  usage_memory: 'memory',
  usage_cpus: 'CPUs',
  usage_pids: 'processes',
  usage_images: 'images',
  usage_ports: 'public ports',
  hosts_memory: 'memory of this host',
}

/** Puts any failure into words for the caller. What has no words of its own is `internal`, and the cause is kept for the log. */
export function explain(error: unknown): DcmError {
  if (error instanceof DcmError) return error
  const constraint = violated(error)
  if (constraint && caps[constraint])
    return new DcmError('limited', `Your quota of ${caps[constraint]} is used up.`, { cause: error, try: 'quota show' })
  if (constraint === 'containers_name')
    return new DcmError('conflict', 'You already have a container of that name.', { cause: error, try: 'ps' })
  if (constraint === 'volumes_name')
    return new DcmError('conflict', 'You already have a volume of that name.', { cause: error, try: 'volume ls' })
  if (constraint?.startsWith('ports_')) return new DcmError('conflict', 'That host port is taken.', { cause: error })
  if (error instanceof HostError) {
    switch (error.fault) {
      case 'down':
        return new DcmError('unavailable', 'Docker does not answer on this host; try again in a minute.', {
          cause: error,
        })
      case 'full':
        return new DcmError('unavailable', 'The disk of this host is full; an admin has to make room.', {
          cause: error,
        })
      case 'gone':
        return new DcmError('conflict', 'Docker no longer has what this was about; look with ps or images.', {
          cause: error,
        })
      case 'taken':
        return new DcmError('conflict', 'Something else still uses it.', { cause: error })
      case 'refused':
        return new DcmError('conflict', 'Docker refused to do that on this host.', { cause: error })
      case 'elsewhere':
        return new DcmError(
          'unavailable',
          'That needs Docker, which this process does not reach (DCM_ROLE=web); ask in a chat or over ssh, or ask a process with DCM_ROLE=worker or all.',
          { cause: error },
        )
      case 'broken':
        return new DcmError(
          'unavailable',
          'Docker gave an answer on this host that makes no sense; try again in a minute.',
          { cause: error },
        )
    }
  }
  if (unreachable(error)) return down(error)
  return new DcmError('internal', 'Something broke on our side.', { cause: error })
}
