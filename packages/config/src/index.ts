export { configurationDocument } from './documentation.ts'
export { type Config, InvalidConfigError, loadConfig } from './load-config.ts'
export {
  type RateBucket,
  type RateLimit,
  type RateOverrides,
  rateBuckets,
  rateLimitOf,
  rateOverrides,
  rateOverridesText,
} from './rate-limits.ts'
export type { Role, Variable } from './variable.ts'
export { variables } from './variables.ts'
