import type { Db, Queryable } from '@rookery/db'
import { findLastEventTime } from '@rookery/events'
import { type Schedule, addJob, claimPeriod } from '@rookery/jobs'
import { isPublicHostname, listHosts } from '@rookery/tenants'

import { crawlEveryMs, crawlLookEveryMs } from '../limits.ts'

/**
 * Asks every relay to crawl a host when the host has new events, or this process has started, but at most once per
 * twenty minutes in the whole cluster: what is called for sooner is asked for when they are over. Hosts that a relay on
 * the internet can't reach are left out.
 */
export function crawlRequests(deps: {
  db: Db
  relays: readonly string[]
  allowPrivateNetwork: boolean
}): Schedule {
  const { db, relays, allowPrivateNetwork } = deps
  const startedAt = new Date()
  return {
    name: 'crawl-requests',
    everyMs: crawlLookEveryMs,
    run: async (tx) => {
      if (relays.length === 0) return
      for (const host of await listHosts(db)) {
        if (host.status !== 'active' || (!allowPrivateNetwork && !isPublicHostname(host.hostname))) continue
        const isDue = await claimPeriod(tx, {
          name: `crawl-host-${host.id}`,
          everyMs: crawlEveryMs,
          calledForAt: later(startedAt, await findLastEventTime(tx, host.id)),
        })
        if (isDue) await requestCrawl(tx, host.id, relays)
      }
    },
  }
}

function later(one: Date, other: Date | undefined): Date {
  return other !== undefined && other > one ? other : one
}

async function requestCrawl(tx: Queryable, hostId: number, relays: readonly string[]): Promise<void> {
  for (const relay of relays) {
    await addJob(tx, { queue: 'crawl-request', payload: { hostId, relay }, dedupeKey: `${hostId}:${relay}` })
  }
}
