import { listAuditEntries } from '@rookery/accounts'
import { getHost } from '@rookery/tenants'
import type { Command } from 'commander'

import type { CtlContext } from '../context.ts'
import { wholeNumber } from '../parse.ts'

/** Most entries that one call lists. */
const entriesMax = 1_000

type Options = { host: string; did?: string; before?: number; limit: number }

/** `ctl audit`. */
export function addAuditCommand(program: Command, context: CtlContext): void {
  program
    .command('audit')
    .description('What operators and moderation services did to accounts, the latest first.')
    .requiredOption('--host <hostname>', 'host that the accounts live on')
    .option('--did <did>', 'only what was done to the account')
    .option('--before <id>', 'only what was done before the entry', wholeNumber(1))
    .option('--limit <n>', 'at most so many', wholeNumber(1, entriesMax), 100)
    .action(async (options: Options, command: Command) => {
      const { id: hostId } = await getHost(context.db.kysely, options.host)
      const { did, before: beforeId, limit } = options
      const value = await listAuditEntries(context.db.pool, { hostId, did, beforeId, limit })
      const rows = value.map(({ created_at, ...entry }) => ({ at: created_at, ...entry }))
      context.print(command, { value, rows })
    })
}
