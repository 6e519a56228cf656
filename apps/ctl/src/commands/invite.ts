import { createInviteCodes, inviteCodesMax, inviteUsesMax } from '@rookery/accounts'
import { getHost, getTenant } from '@rookery/tenants'
import type { Command } from 'commander'

import type { CtlContext } from '../context.ts'
import { examples } from '../examples.ts'
import { wholeNumber } from '../parse.ts'

type CreateOptions = { host: string; tenant: string; count: number; uses: number }

/** `ctl invite`. */
export function addInviteCommands(program: Command, context: CtlContext): void {
  const invite = program.command('invite').description('Invite codes for sign-up.')
  examples(invite, ['ctl invite create --host pds.acme.example --tenant acme --count 10'])
  invite
    .command('create')
    .description('Create invite codes and print them.')
    .requiredOption('--host <hostname>', 'host that they let in to')
    .requiredOption('--tenant <slug>', 'tenant that they let in to')
    .option('--count <n>', 'how many codes', wholeNumber(1, inviteCodesMax), 1)
    .option('--uses <n>', 'how many sign-ups each is good for', wholeNumber(1, inviteUsesMax), 1)
    .action(async (options: CreateOptions, command: Command) => {
      const db = context.db.kysely
      const host = await getHost(db, options.host)
      const tenant = await getTenant(db, options.tenant)
      const made = await createInviteCodes(context.db.pool, {
        hostId: host.id,
        tenantId: tenant.id,
        hostname: host.hostname,
        uses: options.uses,
        codesPerAccount: options.count,
        forAccounts: ['admin'],
        createdBy: 'admin',
      })
      const codes = made.flatMap(({ codes }) => codes)
      context.print(command, { value: { codes }, text: codes.join('\n') })
    })
}
