/** One process inside a container. Memory in bytes; `cpu` is percent of one CPU over its life, `elapsed` as ps writes it. */
export type Process = { uid: string; cpu: number; memory: number; elapsed: string; command: string }

/** What a running container takes: `cpus` in thousandths of a CPU over the last second, the rest in bytes and counts. */
export type Load = { cpus: number; memory: number; pids: number; received: number; sent: number }

/** A path that differs from the image. */
export type Change = { kind: 'changed' | 'added' | 'deleted'; path: string }

/** Something that happened to a member's containers and images, newest first where there are several. */
export type Happening = {
  at: Date
  /** Who did it; null: DCM itself, or the container. */
  by: string | null
  what: string
  target: string | null
  ended: 'done' | 'failed'
  detail: string | null
}
