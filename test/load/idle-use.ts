import { setTimeout as sleep } from 'node:timers/promises'

import { cpuMsByRole, memoryMbByRole } from './process-stats.ts'
import type { System, SystemName } from './systems/system.ts'

/** What one role of a system uses when nobody asks it for anything. */
export type IdleUse = { system: SystemName; role: string; memoryMb: number; cpuMsPerSec: number }

/** Time for work in the background to end, and time to measure, in milliseconds. */
const settleMs = 2_000
const windowMs = 3_000

/** Measures the memory and the CPU time of systems that have nothing to do. */
export async function idleUse(systems: readonly System[]): Promise<IdleUse[]> {
  await sleep(settleMs)
  const before = systems.map((system) => cpuMsByRole(system.processes()))
  await sleep(windowMs)
  return systems.flatMap((system, n) => {
    const after = cpuMsByRole(system.processes())
    return Object.entries(memoryMbByRole(system.processes())).map(([role, memoryMb]) => ({
      system: system.name,
      role,
      memoryMb,
      cpuMsPerSec: ((after[role] ?? 0) - (before[n]?.[role] ?? 0)) / (windowMs / 1_000),
    }))
  })
}
