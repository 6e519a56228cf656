import { loadConfig } from '@rookery/config'
import { runService } from '@rookery/http'
import { createLogger, logBusinessEvents, metrics } from '@rookery/telemetry'

import { startApi } from './app.ts'

const config = loadConfig(['api'])
const log = createLogger('api', config.log.level)
metrics.start('api')
logBusinessEvents(log)
await runService(log, () => startApi(config, log), {
  stopMsMax: config.http.stopDelayMs + config.http.drainMs + 5_000,
})
