import type { PortWish } from '../command/intents.ts'
import type { Restart } from '../model/grant.ts'
import type { Health } from '../model/health.ts'
import type { Built } from './image.ts'
import type { On } from './networks.ts'
import type { Taken } from './secrets.ts'
import type { At } from './tree.ts'

/** A service as the file has it, with the places of what is only found out about later. */
export type Draft = {
  service: string
  at: At
  image: { ref: string; at: At } | undefined
  build: Built | undefined
  command: string[] | undefined
  entrypoint: string[] | undefined
  folder: string | undefined
  env: Map<string, string>
  ports: { wish: PortWish; at: At }[]
  volumes: { name: string; path: string; readOnly: boolean; at: At }[]
  networks: On[] | undefined
  secrets: Taken[]
  waits: { service: string; healthy: boolean; at: At }[]
  restart: { policy: Restart; at: At } | undefined
  caps: { cap: string; at: At }[]
  limits: { memory?: number; cpus?: number; pids?: number }
  limitsAt: At
  health: Health | null
}
