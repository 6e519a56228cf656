import { cpus, release, totalmem } from 'node:os'

/** Where and with what was measured. */
export type Machine = {
  cpu: string
  cores: number
  memoryGb: number
  kernel: string
  node: string
  /** Version of the reference PDS, when it took part. */
  reference: string | null
  /** When the run began, in ISO 8601. */
  startedAt: string
}

/** Describes this machine. */
export function describeMachine(reference: string | null): Machine {
  const cores = cpus()
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    reference,
    startedAt: new Date().toISOString(),
  }
}
