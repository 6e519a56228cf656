/** CPU time and memory of processes, read from /proc. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'

import { BenchError } from './bench-error.ts'

/** A process of a system under test. */
export type MeasuredProcess = { role: string; pid: number }

/** Linux counts CPU time in ticks of 10 ms for programs, whatever the kernel's own tick is. */
const msPerTick = 10

/**
 * CPU milliseconds, user and system, that each role has used so far, with all descendants.
 *
 * Children count twice over in the right way: a running child by its own figures, a child that has ended (a closed
 * Postgres connection) by what it left to the parent that waited for it.
 */
export function cpuMsByRole(processes: readonly MeasuredProcess[]): Record<string, number> {
  const children = childrenByParent()
  const byRole: Record<string, number> = {}
  for (const { role, pid } of processes) {
    const tree = [pid, ...descendants(pid, children)]
    byRole[role] = tree.reduce((sum, each) => sum + (cpuMs(each) ?? 0), byRole[role] ?? 0)
  }
  return byRole
}

/** Megabytes of memory of each role: shared pages are counted once, by the proportional set size. */
export function memoryMbByRole(processes: readonly MeasuredProcess[]): Record<string, number> {
  const children = childrenByParent()
  const byRole: Record<string, number> = {}
  for (const { role, pid } of processes) {
    const tree = [pid, ...descendants(pid, children)]
    byRole[role] = tree.reduce((sum, each) => sum + (memoryMb(each) ?? 0), byRole[role] ?? 0)
  }
  return byRole
}

/** @throws {BenchError} if this machine does not say how much CPU time a process has used. */
export function requireProcessStats(): void {
  if (cpuMs(process.pid) !== undefined) return
  throw new BenchError('the CPU time of processes is read from /proc: the benchmark runs on Linux only')
}

/** Fields of /proc/PID/stat from the third on; the second, the name, may hold spaces and parentheses. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function cpuMs(pid: number): number | undefined {
  const fields = statFields(pid)
  if (fields === undefined) return undefined
  // Fields 14 to 17 of the whole line: utime and stime, then those of children that have ended.
  const ticks = (from: number) => Number(fields[from]) + Number(fields[from + 1])
  // NOTE: ticks are coarse beside what an idle process uses; threads know nanoseconds, but not of ended threads.
  return Math.max(threadsMs(pid), ticks(11) * msPerTick) + ticks(13) * msPerTick
}

/** CPU milliseconds of all threads that a process has now. */
function threadsMs(pid: number): number {
  try {
    const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) => {
      return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    })
    return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6
  } catch {
    // It has ended, or the kernel was built without these figures.
    return 0
  }
}

function memoryMb(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) / 1024
  } catch {
    return undefined
  }
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = Number(statFields(pid)?.[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  return children
}

function descendants(pid: number, children: Map<number, number[]>): number[] {
  return (children.get(pid) ?? []).flatMap((child) => [child, ...descendants(child, children)])
}

/** Forgets how much memory the processes have ever used; returns how much the largest uses now, in megabytes. */
export function resetPeakMemory(processes: readonly MeasuredProcess[]): number {
  for (const { pid } of processes) {
    // NOTE: 5 resets the high-water mark of the resident set (man 5 proc, clear_refs).
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  }
  return peakMemoryMb(processes)
}

/** The highest resident set of the largest of the processes since the reset, in megabytes. */
export function peakMemoryMb(processes: readonly MeasuredProcess[]): number {
  return Math.max(
    ...processes.map(({ pid }) => {
      const text = readFileSync(`/proc/${pid}/status`, 'latin1')
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1]) / 1024
    }),
  )
}
