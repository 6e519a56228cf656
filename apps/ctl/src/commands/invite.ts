import {
  type InviteCode,
  createInviteCodes,
  disableInviteCodes,
  enableInviteCodes,
  inviteCodesMax,
  inviteUsesMax,
  listInviteCodes,
  updateInvitesDisabled,
} from '@rookery/accounts'
import { getHost, getTenant } from '@rookery/tenants'
import { type Command, Argument, Option } from 'commander'

import { audit, auditSetting, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { onOff, wholeNumber } from '../parse.ts'

/** Most codes that one call lists. */
const listedCodesMax = 1_000

type CreateOptions = { host: string; tenant: string; count: number; uses: number }
type ListOptions = { host: string; tenant?: string; sort: 'recent' | 'usage'; limit: number }

/** `ctl invite`. */
export function addInviteCommands(program: Command, context: CtlContext): void {
  const invite = program.command('invite').description('Invite codes for sign-up.')
  addCreate(invite, context)
  addList(invite, context)
  addDisable(invite, context)
  invite
    .command('enable <codes...>')
    .description('Make disabled codes good again.')
    .requiredOption('--host <hostname>', 'host that they let in to')
    .action(async (codes: string[], { host }: { host: string }, command: Command) => {
      const { id: hostId } = await getHost(context.db.kysely, host)
      const enabled = await enableInviteCodes(context.db.pool, { hostId, codes })
      await auditSetting(context, { hostId }, 'invite enable', { codes: enabled })
      context.print(command, { value: { enabled }, text: `enabled ${enabled.length} code(s)` })
    })
  invite
    .command('account <did-or-handle>')
    .description('Say whether an account may earn invite codes.')
    .addArgument(new Argument('<on|off>').argParser(onOff))
    .requiredOption('--host <hostname>', 'host that it lives on')
    .option('--note <text>', 'why')
    .action(
      async (name: string, isOn: boolean, options: { host: string; note?: string }, command: Command) => {
        const account = await getAccount(context, { name, host: options.host })
        const note = options.note ?? null
        await updateInvitesDisabled(context.db.pool, account.id, { isDisabled: !isOn, note })
        await audit(context, account, 'invite account', { isOn, note })
        context.printOne(command, { did: account.did, invites: isOn, note })
      },
    )
}

function addCreate(invite: Command, context: CtlContext): void {
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
      const of = { hostId: host.id, tenantId: tenant.id }
      await auditSetting(context, of, 'invite create', { count: codes.length, uses: options.uses })
      context.print(command, { value: { codes }, text: codes.join('\n') })
    })
}

function addList(invite: Command, context: CtlContext): void {
  invite
    .command('list')
    .description("List a host's codes and who used them.")
    .requiredOption('--host <hostname>', 'host that they let in to')
    .option('--tenant <slug>', 'only those of the tenant')
    .addOption(
      new Option('--sort <order>', 'recent: the newest first; usage: the most used first')
        .choices(['recent', 'usage'])
        .default('recent'),
    )
    .option('--limit <n>', 'at most so many', wholeNumber(1, listedCodesMax), 100)
    .action(async ({ host, tenant, sort, limit }: ListOptions, command: Command) => {
      const db = context.db.kysely
      const { codes } = await listInviteCodes(context.db.pool, {
        hostId: (await getHost(db, host)).id,
        tenantIds: tenant === undefined ? undefined : [(await getTenant(db, tenant)).id],
        sort,
        after: undefined,
        limit,
      })
      context.print(command, { value: codes, rows: codes.map(toRow) })
    })
}

function addDisable(invite: Command, context: CtlContext): void {
  invite
    .command('disable [codes...]')
    .description('Let codes in to nothing any more: these, or all that are for an account.')
    .requiredOption('--host <hostname>', 'host that they let in to')
    .option('--account <did>', 'those that are for the account')
    .action(async (codes: string[], options: { host: string; account?: string }, command: Command) => {
      if (codes.length > 0 === (options.account !== undefined)) {
        command.error('error: give either codes or --account')
      }
      const { id: hostId } = await getHost(context.db.kysely, options.host)
      const accounts = options.account === undefined ? [] : [options.account]
      await disableInviteCodes(context.db.pool, { hostId, codes, accounts, tenantIds: undefined })
      await auditSetting(context, { hostId }, 'invite disable', { codes, accounts })
      context.print(command, {
        value: { codes, accounts },
        text: `disabled ${codes.length === 0 ? `the codes of ${accounts.join()}` : codes.join(', ')}`,
      })
    })
}

function toRow({
  code,
  available,
  disabled,
  for_account,
  created_at,
  uses,
}: InviteCode): object & Record<string, unknown> {
  return { code, for: for_account, uses: `${uses.length}/${available}`, disabled, created: created_at }
}
