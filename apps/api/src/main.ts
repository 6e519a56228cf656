import { loadConfig } from '@rookery/config'
import { startTelemetry } from '@rookery/telemetry'

const config = loadConfig(['api'])
const log = await startTelemetry({ role: 'api', logLevel: config.log.level, otlp: config.telemetry })
const { runService } = await import('@rookery/http/run-service')
const { startApi } = await import('./app.ts')
await runService(log, () => startApi(config, log), {
  stopMsMax: config.http.stopDelayMs + config.http.drainMs + 5_000,
})
