import { type Operation, measureLoad } from '../closed-loop.ts'
import { type Account, accountOf, password, refreshSession, signUp } from '../fixtures/accounts.ts'
import { anonymousJsonHead, jsonBody } from '../fixtures/records.ts'
import { percentile } from '../statistics.ts'
import { type BenchCase, type CaseContext, httpCase, roundRobin } from './bench-case.ts'
import { type PacedWrites, writePaced } from './paced.ts'

/** Connections that sign in over and over beside the writes. */
const signInConnections = 16

/** Writes per second beside the sign-ins: few enough for either system. */
const writesPerSec = 40

/** Sign-up and sessions. */
export const accountCases: BenchCase[] = [
  httpCase({
    name: 'createAccount',
    params: { concurrency: 16 },
    isQuick: true,
    prepare: ({ fixtures }) => Promise.resolve(() => ({ request: signUp(fixtures.names.next()) })),
  }),
  httpCase({
    name: 'createSession',
    params: { accounts: 100, concurrency: 16 },
    isQuick: true,
    prepare: signIns,
  }),
  writesDuringSignIns(),
  httpCase({
    name: 'refreshSession',
    params: { accounts: 16, concurrency: 16 },
    isQuick: true,
    prepare: async ({ fixtures }) => {
      const accounts = await fixtures.accounts(16)
      return (connection) => refresh(accounts[connection % accounts.length] as Account)
    },
  }),
]

async function signIns({ fixtures }: CaseContext): Promise<() => Operation> {
  const account = roundRobin(await fixtures.accounts(100))
  return () => ({
    request: {
      method: 'POST',
      path: '/xrpc/com.atproto.server.createSession',
      head: anonymousJsonHead,
      body: jsonBody({ identifier: account().did, password }),
    },
  })
}

/** How long a write takes while so many sign in that passwords take all the cores they can get. */
function writesDuringSignIns(): BenchCase {
  return {
    name: 'createRecordDuringSignIns',
    params: { concurrency: 4, writesPerSec, signInConnections },
    isQuick: false,
    measure: async (context) => {
      const { system, timing, observer } = context
      const writing = { perSecond: writesPerSec, connections: 4 }
      const alone = await writePaced(context, { ...writing, signal: AbortSignal.timeout(timing.windowMs) })
      const stop = new AbortController()
      const progress: PacedWrites = { latenciesMs: [], acknowledged: new Map() }
      const next = await signIns(context)
      const { warmUpMs, windowMs } = timing
      let span = { startMs: 0, endMs: 0 }
      const begin = async () => {
        await observer.begin()
        progress.latenciesMs.length = 0
        span = { startMs: performance.now(), endMs: Number.NaN }
      }
      const end = async (operations: number) => {
        stop.abort()
        span.endMs = performance.now()
        await observer.end(operations)
      }
      const signingIn = measureLoad({
        system,
        concurrency: signInConnections,
        extent: { warmUpMs, windowMs },
        next,
        observer: { begin, end },
      })
      const writes = writePaced(context, { ...writing, signal: stop.signal, progress })
      const signedIn = await signingIn.finally(() => stop.abort())
      await writes
      const waits = progress.latenciesMs.sort((a, b) => a - b)
      return {
        ...signedIn,
        opsPerSec: waits.length / ((span.endMs - span.startMs) / 1_000),
        // The passwords' cost is in the same processes.
        cpuMsPerOp: Number.NaN,
        p50Ms: percentile(waits, 0.5),
        p99Ms: percentile(waits, 0.99),
        notes: {
          signInsPerSec: signedIn.opsPerSec,
          p50AloneMs: percentile(
            alone.latenciesMs.sort((a, b) => a - b),
            0.5,
          ),
          maxMs: waits.at(-1) ?? Number.NaN,
        },
      }
    },
  }
}

/** Every refresh spends the token of the one before it. */
function refresh(account: Account) {
  return {
    request: refreshSession(account),
    accept: (response: Parameters<typeof accountOf>[0]) => {
      account.refreshJwt = accountOf(response).refreshJwt
    },
  }
}
