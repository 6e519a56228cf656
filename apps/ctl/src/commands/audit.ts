import { listAuditEntries } from '@rookery/accounts'
import { getHost } from '@rookery/tenants'
import type { Command } from 'commander'

import { clusterHostId } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { wholeNumber } from '../parse.ts'

/** Most entries that one call lists. */
const entriesMax = 1_000

type Options = { host?: string; did?: string; before?: number; limit: number }

/** `ctl audit`. */
export function addAuditCommand(program: Command, context: CtlContext): void {
  program
    .command('audit')
    .description(
      'What operators and moderation services did to accounts and hosts, or to tenants, the latest first.',
    )
    .option('--host <hostname>', 'of a host and its accounts (default: of tenants)')
    .option('--did <did>', 'only what was done to the account')
    .option('--before <id>', 'only what was done before the entry', wholeNumber(1))
    .option('--limit <n>', 'at most so many', wholeNumber(1, entriesMax), 100)
    .action(async (options: Options, command: Command) => {
      const { host, did, before: beforeId, limit } = options
      const hostId = host === undefined ? clusterHostId : (await getHost(context.db.kysely, host)).id
      const value = await listAuditEntries(context.db.pool, { hostId, did, beforeId, limit })
      const rows = value.map(({ created_at, ...entry }) => ({ at: created_at, ...entry }))
      context.print(command, { value, rows })
    })
}
