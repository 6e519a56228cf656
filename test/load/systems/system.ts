import type { Account } from '../fixtures/accounts.ts'
import type { Server } from '../http/connection.ts'
import type { MeasuredProcess } from '../process-stats.ts'

/** Which of the two a figure belongs to. */
export type SystemName = 'rookery' | 'reference'

/** A running system under test. */
export type System = AsyncDisposable & {
  readonly name: SystemName
  /** What a handle of a new account ends with. */
  readonly handleSuffix: string
  /** How long an access token is good, in milliseconds. */
  readonly accessTokenMs: number
  /** Where requests go: spread evenly over all of them. Changes with a restart. */
  servers(): readonly Server[]
  /** The role whose processes send to firehose subscribers. */
  readonly firehoseRole: string
  /** Where firehose subscribers connect. */
  firehoses(): readonly Server[]
  /** The processes whose CPU time is the cost of an operation. */
  processes(): readonly MeasuredProcess[]
  /** Processes that take part but are not the system: the PLC directory, the local load balancer. */
  bystanders(): readonly MeasuredProcess[]
  /** Starts the processes that answer requests anew, with all data kept and nothing cached. */
  restartServers(): Promise<void>
  /** The same for those that serve the firehose. */
  restartFirehoses(): Promise<void>
  /** Where its PostgreSQL is, if it has one. */
  readonly databaseUrl?: string
  /** Bytes on disk of accounts, records and events, without blobs. */
  storedBytes(): Promise<number>
  /** Has the database count the accounts, as it does by itself within a minute; absent where that changes nothing. */
  readonly gatherStatistics?: () => Promise<void>
  /** Makes accounts, one for each handle, for less than a sign-up costs; absent where that is impossible. */
  readonly seedAccounts?: (handles: readonly string[]) => Promise<Account[]>
}
