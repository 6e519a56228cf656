export { Metrics } from './metrics.ts'
export { type Logger, createLogger } from './logger.ts'
