import type { Db, Queryable } from '@rookery/db'
import { findLastEventTime } from '@rookery/events'
import { type Schedule, addJob, claimPeriod } from '@rookery/jobs'
import { isPublicHostname, listHosts } from '@rookery/tenants'

import { crawlEveryMs, crawlLookEveryMs } from '../limits.ts'

/**
 * Asks every relay to crawl a host when the host has new events, or this process has started, but at most once per
 * twenty minutes in the whole cluster. Hosts that a relay on the internet can't reach are left out.
 */
export function crawlRequests(deps: {
  db: Db
  relays: readonly string[]
  allowPrivateNetwork: boolean
}): Schedule {
  const { db, relays, allowPrivateNetwork } = deps
  /** Hosts that this process has looked at since it started. */
  const greeted = new Set<number>()
  return {
    name: 'crawl-requests',
    everyMs: crawlLookEveryMs,
    run: async (tx) => {
      if (relays.length === 0) return
      for (const host of await listHosts(db)) {
        if (host.status !== 'active' || (!allowPrivateNetwork && !isPublicHostname(host.hostname))) continue
        const isDue = await claimCrawl(tx, host.id, greeted.has(host.id))
        greeted.add(host.id)
        if (isDue) await requestCrawl(tx, host.id, relays)
      }
    },
  }
}

async function claimCrawl(tx: Queryable, hostId: number, onlyAfterEvents: boolean): Promise<boolean> {
  const period = { name: `crawl-host-${hostId}`, everyMs: crawlEveryMs }
  if (!onlyAfterEvents) return claimPeriod(tx, period)
  const calledForAt = await findLastEventTime(tx, hostId)
  return calledForAt !== undefined && claimPeriod(tx, { ...period, calledForAt })
}

async function requestCrawl(tx: Queryable, hostId: number, relays: readonly string[]): Promise<void> {
  for (const relay of relays) {
    await addJob(tx, { queue: 'crawl-request', payload: { hostId, relay }, dedupeKey: `${hostId}:${relay}` })
  }
}
