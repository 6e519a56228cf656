import { loadConfig } from '@rookery/config'
import { startTelemetry } from '@rookery/telemetry'

const config = loadConfig(['firehose'])
const log = await startTelemetry({ role: 'firehose', logLevel: config.log.level, otlp: config.telemetry })
const { runService } = await import('@rookery/http/run-service')
const { startFirehose } = await import('./app.ts')
await runService(log, () => startFirehose(config, log), {
  stopMsMax: config.http.stopDelayMs + config.http.drainMs + 5_000,
})
