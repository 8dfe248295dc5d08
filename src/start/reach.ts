import { setTimeout as sleep } from 'node:timers/promises'
import { unreachable } from '../core/store/db.ts'

/** Opens the database, and waits for it for as long as it does not answer. @throws what it says once it answers */
export async function reach<T>(open: () => Promise<T>, say: (line: string) => void): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await open()
    } catch (error) {
      if (!unreachable(error)) throw error
      if (tries === 0) say('The database does not answer yet; DCM waits for it.')
      await sleep(1000)
    }
  }
}
