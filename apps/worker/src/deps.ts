import type { BlobStore } from '@rookery/blobs'
import type { Config } from '@rookery/config'
import type { Database } from '@rookery/db'
import type { SafeFetch } from '@rookery/http'
import type { KeyWrapper, SigningKeys } from '@rookery/identity'
import type { Mailer } from '@rookery/mail'
import type { TidClock } from '@rookery/syntax'
import type { Logger } from '@rookery/telemetry'
import type { HostDirectory } from '@rookery/tenants'

/** Everything a worker process is built from. Processors never see it: each takes the few things that it names. */
export type WorkerDeps = {
  config: Config
  log: Logger
  db: Database
  directory: HostDirectory
  store: BlobStore
  mailer: Mailer
  signingKeys: SigningKeys
  /** Wraps secrets with the cluster's key-encryption key. */
  wrapper: KeyWrapper
  /** Makes revs. */
  clock: TidClock
  /** Tells the sequencer of a committed event; never fails. */
  wakeSequencer: () => void
  /** Tells the workers of a committed job; never fails. */
  wakeWorkers: () => void
  /** Fetches URLs that the operator configured; those may be inside of the cluster. */
  fetch: SafeFetch
}
