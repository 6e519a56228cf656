/**
 * Holds all firehose subscribers of a case in a process of its own, so that reading the stream does not delay the
 * load generator. Told what to do by messages, it answers each with one; see `Command` and `Tally`.
 */
import type { Server } from '../http/connection.ts'
import { monotonicMs } from './clock.ts'
import { subscribe } from './subscriber.ts'

/** What the process is told. */
export type Command =
  /** Connect; the first subscriber also notes when each record of ours arrives. Answered when all are connected. */
  | { type: 'subscribe'; servers: readonly Server[]; count: number; cursor?: number; repeatAfter?: number }
  /** Start counting anew. */
  | { type: 'reset' }
  | { type: 'report' }
  | { type: 'close' }

/** What was received since the last reset. */
export type Tally = {
  /** Messages of each subscriber. */
  messages: number[]
  /** When each record arrived at the first subscriber: record key and time of the monotonic clock. */
  arrivals: [rkey: string, atMs: number][]
  /** When the last message came, on the same clock. */
  lastMs: number
  /** Subscribers that were cut off. */
  ended: number
  cpuMs: number
}

const pathStart = Buffer.from('app.bsky.feed.post/')
const rkeyChars = 13

/** The current set of subscribers; each `subscribe` begins a new one, and nothing of an old one may count. */
let current = { open: new Map<number, Disposable>(), isClosed: true }
let tally = emptyTally()
let cpu = process.cpuUsage()

process.once('disconnect', () => process.exit(0))
process.on('message', (command: Command) => {
  handle(command).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
process.send?.('listening')

async function handle(command: Command): Promise<Tally> {
  if (command.type === 'subscribe') await subscribeAll(command)
  if (command.type === 'reset') {
    tally = { ...emptyTally(), messages: tally.messages.map(() => 0) }
    cpu = process.cpuUsage()
  }
  if (command.type === 'close') closeAll()
  const used = process.cpuUsage(cpu)
  return { ...tally, cpuMs: (used.user + used.system) / 1_000 }
}

function closeAll(): void {
  current.isClosed = true
  for (const subscriber of current.open.values()) subscriber[Symbol.dispose]()
  current.open.clear()
}

async function subscribeAll(command: Extract<Command, { type: 'subscribe' }>): Promise<void> {
  const { servers, count } = command
  closeAll()
  current = { open: new Map(), isClosed: false }
  tally = { ...emptyTally(), messages: Array.from({ length: count }, () => 0) }
  cpu = process.cpuUsage()
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const server = servers[n % servers.length]
      if (server !== undefined) await subscribeOne(command, { server, n })
    }),
  )
}

/** With `repeatAfter`, a subscriber that has read that many messages begins again at its cursor. */
async function subscribeOne(
  command: Extract<Command, { type: 'subscribe' }>,
  at: { server: Server; n: number },
): Promise<void> {
  const { server, n } = at
  const set = current
  let left = command.repeatAfter ?? Number.POSITIVE_INFINITY
  let isDone = false
  const again = () => {
    isDone = true
    set.open.get(n)?.[Symbol.dispose]()
    subscribeOne(command, at).catch(() => {
      if (!set.isClosed) tally.ended++
    })
  }
  const subscriber = await subscribe({
    server,
    address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
    ...(command.cursor !== undefined && { cursor: command.cursor }),
    keepsPayloads: n === 0 && command.repeatAfter === undefined,
    onMessage: (payload) => {
      if (isDone || set.isClosed) return
      tally.messages[n] = (tally.messages[n] ?? 0) + 1
      tally.lastMs = monotonicMs()
      if (payload !== undefined) noteArrival(payload)
      if (--left === 0) again()
    },
    onEnd: () => {
      if (!set.isClosed && !isDone) tally.ended++
    },
  })
  // NOTE: the set may have been closed, or this subscriber be through, while the server was still answering.
  if (set.isClosed || isDone) subscriber[Symbol.dispose]()
  else set.open.set(n, subscriber)
}

function noteArrival(frame: Buffer): void {
  const at = frame.indexOf(pathStart)
  if (at < 0) return
  const start = at + pathStart.length
  tally.arrivals.push([frame.toString('latin1', start, start + rkeyChars), tally.lastMs])
}

function emptyTally(): Tally {
  return { messages: [], arrivals: [], lastMs: 0, ended: 0, cpuMs: 0 }
}
