import { type Account, type HeldFactor, listHeldFactors, removeHeldFactors } from '@rookery/accounts'
import type { Queryable } from '@rookery/db'
import { requestNotice } from '@rookery/mail'
import { listTenants } from '@rookery/tenants'
import type { Command } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'

type Options = { host: string; factor?: string[]; all?: boolean; dryRun?: boolean }

/** `ctl account factors`: for owners who lost what they sign in with besides the password. */
export function addFactorCommands(account: Command, context: CtlContext): void {
  const factors = account
    .command('factors')
    .description('What accounts are signed in to with besides the password, for owners who lost it.')
  factors
    .command('list <did-or-handle>')
    .description('List second factors, recovery codes and passkeys of an account.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .action(async (name: string, { host }: Options, command: Command) => {
      const found = await getAccount(context, { name, host })
      print(context, command, await listHeldFactors(context.db.pool, found))
    })
  factors
    .command('remove <did-or-handle>')
    .description('Take factors away, and tell the owner by mail. Sessions stay.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .option('--factor <factor...>', 'those to take away, as the list names them')
    .option('--all', 'take all away')
    .option('--dry-run', 'only show what would be taken away')
    .action(async (name: string, options: Options, command: Command) => {
      const found = await getAccount(context, { name, host: options.host })
      const held = await listHeldFactors(context.db.pool, found)
      const wanted = options.all === true ? held.map(({ factor }) => factor) : options.factor
      if (wanted === undefined) command.error('error: --factor or --all says what to take away')
      const meant = held.filter(({ factor }) => wanted.includes(factor))
      if (options.dryRun === true) return print(context, command, meant)
      print(context, command, await remove(context, found, wanted))
    })
}

async function remove(
  context: CtlContext,
  account: Account,
  wanted: readonly string[],
): Promise<HeldFactor[]> {
  const { db } = context
  const directory = {
    findTenant: async (id: number) => (await listTenants(db.kysely)).find((tenant) => tenant.id === id),
  }
  const notice = { template: 'factors-changed', locale: undefined } as const
  const announce = (tx: Queryable, of: Account): Promise<void> => requestNotice({ tx, directory }, of, notice)
  const gone = await removeHeldFactors({ db, announce }, account.id, wanted)
  await audit(context, account, 'account factors remove', { factors: gone.map(({ factor }) => factor) })
  await context.wake()
  return gone
}

function print(context: CtlContext, command: Command, factors: HeldFactor[]): void {
  context.print(command, { value: factors, rows: factors })
}
