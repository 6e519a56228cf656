/** What a CPU profile says: the time of each function, alone and with all that it called. */

/** A profile as V8 writes it (`.cpuprofile`), as far as it is read here. */
export type CpuProfile = {
  nodes: ProfileNode[]
  /** Ids of nodes, one for each sample. */
  samples: number[]
  /** Microseconds from the sample before to each sample. */
  timeDeltas: number[]
}

type ProfileNode = {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: number[]
}

/** CPU time of one function, in milliseconds. */
export type FunctionTime = { name: string; place: string; selfMs: number; totalMs: number }

/** What V8 calls the time without anything to do. */
const idle = '(idle)'

/** The functions of several profiles together, those with the most time of their own first; idle time is left out. */
export function functionTimes(profiles: readonly CpuProfile[]): FunctionTime[] {
  const times = new Map<string, FunctionTime>()
  for (const profile of profiles) addTimes(profile, times)
  return [...times.values()].filter(({ name }) => name !== idle).sort((a, b) => b.selfMs - a.selfMs)
}

function addTimes({ nodes, samples, timeDeltas }: CpuProfile, times: Map<string, FunctionTime>): void {
  const selfMs = new Map<number, number>()
  samples.forEach((id, n) => {
    // The time before the first sample is what the profiler took to start.
    if (n > 0) selfMs.set(id, (selfMs.get(id) ?? 0) + (timeDeltas[n] ?? 0) / 1_000)
  })
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const active = new Set<FunctionTime>()
  /** Adds the time below a node to its function, unless the function is among the callers already. */
  const visit = (node: ProfileNode): number => {
    const time = timeOf(node, times)
    const own = selfMs.get(node.id) ?? 0
    const isOutermost = !active.has(time)
    active.add(time)
    const below = (node.children ?? []).reduce((sum, id) => {
      const child = byId.get(id)
      return child === undefined ? sum : sum + visit(child)
    }, 0)
    time.selfMs += own
    if (isOutermost) {
      time.totalMs += own + below
      active.delete(time)
    }
    return own + below
  }
  // The first node is the root of the tree.
  const [root] = nodes
  if (root !== undefined) visit(root)
}

function timeOf({ callFrame }: ProfileNode, times: Map<string, FunctionTime>): FunctionTime {
  const { functionName, url, lineNumber } = callFrame
  const name = functionName || '(anonymous)'
  const file = shortPath(url)
  const key = `${name} ${file}:${lineNumber}`
  const known = times.get(key)
  if (known !== undefined) return known
  const time = { name, place: file === '' ? '' : `${file}:${lineNumber + 1}`, selfMs: 0, totalMs: 0 }
  times.set(key, time)
  return time
}

/** A path from the package on: `pg-protocol/dist/parser.js`, `packages/repo/src/tree.ts`, `node:net`. */
function shortPath(url: string): string {
  return url.replace(/^.*\/node_modules\//, '').replace(/^.*\/((?:packages|apps)\/)/, '$1')
}

/** Which package or part of Node.js each function belongs to, with the sum of the functions' own time. */
export function moduleTimes(functions: readonly FunctionTime[]): { name: string; selfMs: number }[] {
  const sums = new Map<string, number>()
  for (const { name, place, selfMs } of functions) {
    const module = place === '' ? name : moduleOf(place)
    sums.set(module, (sums.get(module) ?? 0) + selfMs)
  }
  return [...sums].map(([name, selfMs]) => ({ name, selfMs })).sort((a, b) => b.selfMs - a.selfMs)
}

function moduleOf(place: string): string {
  if (place.startsWith('node:')) return place.replace(/:\d+$/, '')
  const parts = place.split('/')
  const isScoped = place.startsWith('@') || place.startsWith('packages/') || place.startsWith('apps/')
  return parts.slice(0, isScoped ? 2 : 1).join('/')
}
