import { loadConfig } from '@rookery/config'
import { runService } from '@rookery/http'
import { createLogger, logBusinessEvents, metrics } from '@rookery/telemetry'

import { startStandalone } from './app.ts'

const config = loadConfig(['api', 'firehose', 'sequencer', 'worker'])
const log = createLogger('standalone', config.log.level)
metrics.start('standalone')
logBusinessEvents(log)
// The roles drain one after the other: subscribers, requests, then jobs.
await runService(log, () => startStandalone(config, log), {
  stopMsMax: config.http.stopDelayMs + 3 * config.http.drainMs + 10_000,
})
