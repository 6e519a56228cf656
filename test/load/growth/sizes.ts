import { queuedEvents, tableSizes } from '../systems/database-size.ts'
import type { System } from '../systems/system.ts'
import { untilReady } from '../systems/until-ready.ts'

/** What keeps events, and what they only pass through: its space is used again and belongs to none of them. */
const eventTables = { log: 'event_log', queue: 'event_queue' }

/** How long work in the background may take to end, in milliseconds. */
const settleMsMax = 120_000

/** Bytes of each table, rows, indexes and TOAST together or apart; of a system without tables, of its files. */
export class Sizes {
  readonly byTable: Readonly<Record<string, number>>

  constructor(byTable: Record<string, number>) {
    this.byTable = byTable
  }

  /** Bytes of all tables together. */
  get total(): number {
    return Object.values(this.byTable).reduce((sum, bytes) => sum + bytes, 0)
  }

  /** What has come since, for each of `count` things. */
  since(before: Sizes, count: number): Sizes {
    const entries = Object.entries(this.byTable).map(
      ([name, bytes]) => [name, (bytes - (before.byTable[name] ?? 0)) / count] as const,
    )
    return new Sizes(Object.fromEntries(entries))
  }

  /** The same without the tables of events, and the bytes in the log of events. */
  withoutEvents(): [rest: Sizes, events: number] {
    const { log, queue } = eventTables
    const of = (isWanted: (table: string) => boolean) =>
      new Sizes(
        Object.fromEntries(
          Object.entries(this.byTable).filter(([name]) => isWanted(name.split(' ')[0] ?? '')),
        ),
      )
    return [of((table) => table !== log && table !== queue), of((table) => table === log).total]
  }
}

/** The sizes now. */
export async function sizesOf(system: System): Promise<Sizes> {
  const { databaseUrl } = system
  if (databaseUrl === undefined) return new Sizes({ files: await system.storedBytes() })
  const sizes = await tableSizes(databaseUrl)
  return new Sizes(
    Object.fromEntries(
      sizes.flatMap(({ name, heap, indexes, toast }) => [
        [`${name} rows`, heap],
        [`${name} indexes`, indexes],
        [`${name} toast`, toast],
      ]),
    ),
  )
}

/** Waits until every event has its number. */
export async function untilSettled(system: System): Promise<void> {
  const { databaseUrl } = system
  if (databaseUrl === undefined) return
  await untilReady(async () => (await queuedEvents(databaseUrl)) === 0, {
    what: 'the numbering of events',
    timeoutMs: settleMsMax,
  })
}
