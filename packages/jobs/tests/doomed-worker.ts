import { Database } from '@rookery/db'
import { redisKeys } from '@rookery/redis'
import { createLogger } from '@rookery/telemetry'

import { JobRunner } from '../src/job-runner.ts'

/** A worker that claims a job, says so, and never ends it: its test kills it. */
const [databaseUrl = '', redisUrl = '', prefix = '', leaseMs = ''] = process.argv.slice(2)
const log = createLogger('worker', 'silent')
const database = new Database(log, { url: databaseUrl, poolMax: 2, applicationName: 'doomed-worker' })
await using _runner = new JobRunner({
  log,
  pool: database.pool,
  redisUrl,
  keys: redisKeys(prefix),
  drainMs: 0,
  leaseMs: Number(leaseMs),
  processors: {
    'repo-compaction': () => {
      process.stdout.write('claimed\n')
      return new Promise(() => {})
    },
  },
})
await new Promise(() => {})
