import { loadConfig } from '@rookery/config'
import { startTelemetry } from '@rookery/telemetry'

const config = loadConfig(['worker'])
const log = await startTelemetry({ role: 'worker', logLevel: config.log.level, otlp: config.telemetry })
const { runService } = await import('@rookery/http/run-service')
const { startWorker } = await import('./app.ts')
await runService(log, () => startWorker(config, log), { stopMsMax: config.http.drainMs + 10_000 })
