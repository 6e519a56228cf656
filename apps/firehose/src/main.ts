import { loadConfig } from '@rookery/config'
import { runService } from '@rookery/http'
import { createLogger, logBusinessEvents, metrics } from '@rookery/telemetry'

import { startFirehose } from './app.ts'

const config = loadConfig(['firehose'])
const log = createLogger('firehose', config.log.level)
metrics.start('firehose')
logBusinessEvents(log)
await runService(log, () => startFirehose(config, log), {
  stopMsMax: config.http.stopDelayMs + config.http.drainMs + 5_000,
})
