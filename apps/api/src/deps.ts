import type { Config } from '@rookery/config'
import type { Database } from '@rookery/db'
import type { XrpcLexicons } from '@rookery/http'
import type { Redis, RedisKeys } from '@rookery/redis'
import type { Logger, Metrics } from '@rookery/telemetry'
import type { HostDirectory } from '@rookery/tenants'

/** Everything an api process is built from. Handlers never see it: each takes the few things that it names. */
export type ApiDeps = {
  config: Config
  log: Logger
  metrics: Metrics
  db: Database
  redis: Redis
  keys: RedisKeys
  directory: HostDirectory
  lexicons: XrpcLexicons
}
