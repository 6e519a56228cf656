import { rebuildPacks } from '@rookery/records'
import type { Command } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'

/** `ctl repo`. */
export function addRepoCommands(program: Command, context: CtlContext): void {
  program
    .command('repo')
    .description('Repos: repair what `ctl doctor` found.')
    .command('rebuild <did-or-handle>')
    .description("Make the nodes of a repo's tree anew from its records. Its writes wait meanwhile.")
    .requiredOption('--host <hostname>', 'host that the account lives on')
    .action(async (name: string, { host }: { host: string }, command: Command) => {
      const account = await getAccount(context, { name, host })
      if (!(await rebuildPacks(context.db.pool, account.id))) {
        throw new Error('its records do not make the tree that its head names: restore them from a backup')
      }
      await audit(context, account, 'repo rebuild')
      context.print(command, { value: { rebuilt: account.did }, text: `rebuilt the tree of ${account.did}` })
    })
}
