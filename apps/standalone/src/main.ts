import { loadConfig } from '@rookery/config'
import { startTelemetry } from '@rookery/telemetry'

const config = loadConfig(['api', 'firehose', 'sequencer', 'worker'])
const log = await startTelemetry({ role: 'standalone', logLevel: config.log.level, otlp: config.telemetry })
const { runService } = await import('@rookery/http/run-service')
const { startStandalone } = await import('./app.ts')
// The roles drain one after the other: subscribers, requests, then jobs.
await runService(log, () => startStandalone(config, log), {
  stopMsMax: config.http.stopDelayMs + 3 * config.http.drainMs + 10_000,
})
