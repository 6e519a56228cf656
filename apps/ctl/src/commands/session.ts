import { endSessions, listSessions } from '@rookery/accounts'
import { inTransaction } from '@rookery/db'
import type { Command } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'

type Options = { host: string; dryRun?: boolean }

/** `ctl session`. */
export function addSessionCommands(program: Command, context: CtlContext): void {
  const session = program.command('session').description('Where an account is signed in.')
  session
    .command('list <did-or-handle>')
    .description('List the sessions of an account, the latest first.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .action(async (name: string, { host }: Options, command: Command) => {
      const { id } = await getAccount(context, { name, host })
      const rows = await listSessions(context.db.pool, id)
      context.print(command, { value: rows, rows })
    })
  session
    .command('revoke <did-or-handle>')
    .description(
      'End every session of an account. An access token of a password session is good for what is left of its half hour.',
    )
    .requiredOption('--host <hostname>', 'host that it lives on')
    .option('--dry-run', 'only list them')
    .action(async (name: string, { host, dryRun }: Options, command: Command) => {
      const account = await getAccount(context, { name, host })
      const sessions = await listSessions(context.db.pool, account.id)
      if (dryRun === true) return context.print(command, { value: { wouldRevoke: sessions }, rows: sessions })
      await inTransaction(context.db.pool, (tx) => endSessions(tx, account.id))
      await audit(context, account, 'session revoke')
      const value = { did: account.did, revoked: sessions.length }
      return context.print(command, { value, text: `ended ${sessions.length} session(s) of ${account.did}` })
    })
}
