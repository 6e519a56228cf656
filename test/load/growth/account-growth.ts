import { roundRobin, sessions } from '../cases/bench-case.ts'
import { measureLoad } from '../closed-loop.ts'
import type { Account } from '../fixtures/accounts.ts'
import { recordPath } from '../fixtures/fixtures.ts'
import { createRecord } from '../fixtures/records.ts'
import type { Measurement } from '../statistics.ts'
import type { SystemName } from '../systems/system.ts'
import type { GrowthContext } from './growth.ts'
import { type Sizes, sizesOf, untilSettled } from './sizes.ts'

/** Connections of the load. */
const concurrency = 16

/** Records that are read in turn, one in each of so many accounts; as many accounts are written over and over. */
const busyAccountsMax = 1_000

const warmUpMs = 1_500

/** What was found at a number of accounts. Bytes are per thing. */
export type AccountStep = {
  system: SystemName
  accounts: number
  /** Of an account without records, events left out. */
  accountBytes: Sizes
  /** Of what an account's beginning says on the firehose. */
  accountEventBytes: number
  recordBytes: Sizes
  eventBytes: number
  /** Into accounts that were written before. */
  createRecord: Measurement
  /** Into accounts that no process has met since they were made; undefined where there were fewer than writes. */
  createFirst: Measurement | undefined
  getRecord: Measurement
}

/** Measures at each number of accounts, smallest first. */
export async function measureAccounts(
  context: GrowthContext,
  steps: readonly number[],
  onStep: (step: AccountStep) => void,
): Promise<void> {
  const { system, fixtures, say } = context
  // The first accounts are signed up: they warm the processes up and are not counted.
  let known = (await fixtures.accounts(Math.min(100, steps[0] ?? 0))).length
  for (const accounts of steps) {
    await untilSettled(system)
    const before = await sizesOf(system)
    await fixtures.accounts(accounts)
    await untilSettled(system)
    const made = (await sizesOf(system)).since(before, accounts - known)
    const [accountBytes, accountEventBytes] = made.withoutEvents()
    onStep({
      system: system.name,
      accounts,
      accountBytes,
      accountEventBytes,
      ...(await measureStep(context, { accounts, known })),
    })
    known = accounts
    say(`${system.name}: measured at ${accounts} accounts`)
  }
}

async function measureStep(
  { system, fixtures, windowMs }: GrowthContext,
  { accounts, known }: { accounts: number; known: number },
): Promise<Pick<AccountStep, 'recordBytes' | 'eventBytes' | 'createRecord' | 'createFirst' | 'getRecord'>> {
  const load = { system, concurrency, extent: { warmUpMs, windowMs } }
  const all = await fixtures.accounts(accounts)
  const writeTo = (of: readonly Account[]): Promise<Measurement> => {
    const account = sessions(of)
    return measureLoad({
      ...load,
      next: () => {
        const { item, session } = account()
        return { request: createRecord(item, fixtures.number()), session }
      },
    })
  }
  await untilSettled(system)
  const before = await sizesOf(system)
  const numberBefore = fixtures.used()
  // The newest first: nobody has written to those.
  const spread = await writeTo(all.toReversed())
  await untilSettled(system)
  const writes = fixtures.used() - numberBefore
  const written = (await sizesOf(system)).since(before, writes)
  const [recordBytes, eventBytes] = written.withoutEvents()
  const record = roundRobin(await fixtures.records(Math.min(accounts, busyAccountsMax)))
  const read = await measureLoad({
    ...load,
    next: () => ({ request: { method: 'GET', path: recordPath(record()) } }),
  })
  return {
    recordBytes,
    eventBytes,
    createFirst: writes <= accounts - known ? spread : undefined,
    createRecord: await writeTo(all.slice(0, busyAccountsMax)),
    getRecord: read,
  }
}
