import { loadConfig } from '@rookery/config'
import { runService } from '@rookery/http'
import { createLogger, logBusinessEvents, metrics } from '@rookery/telemetry'

import { startSequencer } from './app.ts'

const config = loadConfig(['sequencer'])
const log = createLogger('sequencer', config.log.level)
metrics.start('sequencer')
logBusinessEvents(log)
await runService(log, () => startSequencer(config, log), { stopMsMax: config.http.drainMs + 5_000 })
