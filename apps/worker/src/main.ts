import { loadConfig } from '@rookery/config'
import { runService } from '@rookery/http'
import { createLogger, logBusinessEvents, metrics } from '@rookery/telemetry'

import { startWorker } from './app.ts'

const config = loadConfig(['worker'])
const log = createLogger('worker', config.log.level)
metrics.start('worker')
logBusinessEvents(log)
await runService(log, () => startWorker(config, log), { stopMsMax: config.http.drainMs + 10_000 })
