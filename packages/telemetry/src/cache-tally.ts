import { metrics } from './metrics.ts'

/** How often a cache had what it was asked for; whoever looks up adds to it. */
export type CacheTally = { hits: number; misses: number }

/** Returns the tally of all caches of a name in this process, which is read when somebody scrapes. */
export function cacheTally(cache: string): CacheTally {
  const tally = { hits: 0, misses: 0 }
  metrics.read('rookery_cache_lookups_total', () => [
    [{ cache, result: 'hit' }, tally.hits],
    [{ cache, result: 'miss' }, tally.misses],
  ])
  return tally
}
