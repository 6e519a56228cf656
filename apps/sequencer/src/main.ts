import { loadConfig } from '@rookery/config'
import { startTelemetry } from '@rookery/telemetry'

const config = loadConfig(['sequencer'])
const log = await startTelemetry({ role: 'sequencer', logLevel: config.log.level, otlp: config.telemetry })
const { runService } = await import('@rookery/http/run-service')
const { startSequencer } = await import('./app.ts')
await runService(log, () => startSequencer(config, log), { stopMsMax: config.http.drainMs + 5_000 })
