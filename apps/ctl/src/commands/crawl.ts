import { addJob } from '@rookery/jobs'
import { type Host, getHost, isPublicHostname, listHosts } from '@rookery/tenants'
import type { Command } from 'commander'

import type { CtlContext } from '../context.ts'

/** `ctl crawl`. */
export function addCrawlCommand(program: Command, context: CtlContext): void {
  program
    .command('crawl')
    .description('Ask relays to crawl hosts. A worker does it; see `ctl jobs list --queue crawl-request`.')
    .option('--host <hostname>', 'only the host (default: every active one)')
    .option('--relay <url...>', 'these relays (default: ROOKERY_CRAWL_RELAYS)')
    .option('--dry-run', 'only list what would be asked')
    .action(async (options: { host?: string; relay?: string[]; dryRun?: boolean }, command: Command) => {
      const { crawl, identity } = context.config()
      const relays = options.relay ?? crawl.relays
      if (relays.length === 0) throw new Error('no relay: set ROOKERY_CRAWL_RELAYS or give --relay')
      const hosts = await chosenHosts(context, options.host, identity.allowPrivateNetwork)
      const rows = hosts.flatMap(({ hostname }) => relays.map((relay) => ({ hostname, relay })))
      if (options.dryRun !== true) {
        for (const { id: hostId } of hosts) {
          for (const relay of relays) {
            const payload = { hostId, relay }
            await addJob(context.db.pool, {
              queue: 'crawl-request',
              payload,
              dedupeKey: `${hostId}:${relay}`,
            })
          }
        }
        await context.wake()
      }
      context.print(command, { value: rows, rows })
    })
}

async function chosenHosts(
  context: CtlContext,
  hostname: string | undefined,
  allowPrivate: boolean,
): Promise<Host[]> {
  const db = context.db.kysely
  const chosen = hostname === undefined ? await listHosts(db) : [await getHost(db, hostname)]
  const hosts = chosen.filter(
    (host) => host.status === 'active' && (allowPrivate || isPublicHostname(host.hostname)),
  )
  if (hosts.length === 0) throw new Error('no active host has a name that a relay can reach')
  return hosts
}
