import {
  type Account,
  type StatusChange,
  changeAccountStatus,
  deleteAccount,
  emailTokenLifeMs,
  issueEmailToken,
  listAccounts,
  scheduleErasure,
} from '@rookery/accounts'
import { type AccountStatus, inTransaction } from '@rookery/db'
import { requestTokenMail } from '@rookery/mail'
import { minuteMs } from '@rookery/std'
import { getHost, getTenant, listHosts, listTenants } from '@rookery/tenants'
import { type Command, Option } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { wholeNumber } from '../parse.ts'
import { addFactorCommands } from './factors.ts'

type Where = { host: string }
type ChangeOptions = { ref?: string; reason?: string }
type ListOptions = {
  host?: string
  tenant?: string
  status?: AccountStatus
  email?: string
  after?: number
  limit: number
}

/** `ctl account`. */
export function addAccountCommands(program: Command, context: CtlContext): void {
  const account = program
    .command('account')
    .description('Accounts: look at them, suspend, take down, delete.')
  addList(account, context)
  account
    .command('show <did-or-handle>')
    .description('Show an account.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .action(async (name: string, where: Where, command: Command) =>
      printOne(context, command, await getAccount(context, { name, ...where })),
    )
  addChange(account, context, {
    name: 'suspend',
    effect: 'Suspend an account: nothing of it is served and its sessions end.',
    change: () => ({ suspended: true }),
  }).option('--reason <text>', 'what the audit log tells of it')
  addChange(account, context, {
    name: 'resume',
    effect: 'End a suspension.',
    change: () => ({ suspended: false }),
  })
  addChange(account, context, {
    name: 'takedown',
    effect: 'Take an account down: nothing of it is served and its sessions end.',
    change: ({ ref }) => ({ takedown: { ref: ref ?? `ctl-${Date.now()}` } }),
  }).option('--ref <text>', 'what the takedown refers to, such as a case number')
  addChange(account, context, {
    name: 'restore',
    effect: 'Lift a takedown.',
    change: () => ({ takedown: null }),
  })
  addDelete(account, context)
  addResetPassword(account, context)
  addFactorCommands(account, context)
}

function addList(account: Command, context: CtlContext): void {
  const statuses = ['active', 'deactivated', 'suspended', 'takendown']
  account
    .command('list')
    .description('List accounts, oldest first. JSON has their e-mail addresses too.')
    .option('--host <hostname>', 'only those of the host')
    .option('--tenant <slug>', 'only those of the tenant')
    .addOption(new Option('--status <status>', 'only those of the status').choices(statuses))
    .option('--email <text>', 'only those whose address begins with the text')
    .option('--after <id>', 'only those after the account', wholeNumber(1))
    .option('--limit <n>', 'at most so many', wholeNumber(1), 100)
    .action(async (options: ListOptions, command: Command) => {
      const db = context.db.kysely
      const { host, tenant, status, email, after: afterId, limit } = options
      const emailPrefix = email?.toLowerCase()
      const hostId = host === undefined ? undefined : (await getHost(db, host)).id
      const tenantIds = tenant === undefined ? undefined : [(await getTenant(db, tenant)).id]
      const found = await listAccounts(context.db.pool, {
        hostId,
        tenantIds,
        status,
        emailPrefix,
        afterId,
        limit,
      })
      const value = await withNames(context, found)
      const rows = value.map(({ id, did, handle, host, tenant, status, created_at }) => ({
        id,
        did,
        handle,
        host,
        tenant,
        status,
        created: created_at,
      }))
      context.print(command, { value, rows })
    })
}

function addChange(
  account: Command,
  context: CtlContext,
  of: { name: string; effect: string; change: (options: ChangeOptions) => StatusChange },
): Command {
  return account
    .command(`${of.name} <did-or-handle>`)
    .description(of.effect)
    .requiredOption('--host <hostname>', 'host that it lives on')
    .option('--dry-run', 'only show the account')
    .action(async (name: string, options: Where & ChangeOptions & { dryRun?: boolean }, command: Command) => {
      const found = await getAccount(context, { name, host: options.host })
      if (options.dryRun === true) return printOne(context, command, found)
      const changed = await changeAccountStatus({ db: context.db }, found.id, of.change(options))
      const { ref, reason } = options
      await audit(context, found, `account ${of.name}`, { ref, reason })
      await context.wake()
      return printOne(context, command, changed)
    })
}

function addDelete(account: Command, context: CtlContext): void {
  account
    .command('delete <did-or-handle>')
    .description('Delete an account for good: at once for everybody, its records and blobs by a job.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .option('--dry-run', 'only show the account')
    .option('--yes', 'really')
    .action(async (name: string, options: Where & { yes?: boolean; dryRun?: boolean }, command: Command) => {
      const found = await getAccount(context, { name, host: options.host })
      if (options.dryRun === true) return printOne(context, command, found)
      if (options.yes !== true) command.error(`error: --yes deletes ${found.did} for good`)
      await deleteAccount({ db: context.db, scheduleErasure }, found.id)
      await audit(context, found, 'account delete')
      await context.wake()
      context.print(command, { value: { deleted: found.did }, text: `deleted ${found.did}` })
    })
}

function addResetPassword(account: Command, context: CtlContext): void {
  account
    .command('reset-password <did-or-handle>')
    .description('Mail the owner of an account the token for a new password.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .option('--print', 'mail nothing and print the token, for an owner whom you know to be it')
    .action(async (name: string, { host, print }: Where & { print?: boolean }, command: Command) => {
      const found = await getAccount(context, { name, host })
      const { pool, kysely } = context.db
      const token = print === true ? await issueEmailToken(pool, found.id, 'reset_password') : undefined
      if (token === undefined) {
        const directory = {
          findTenant: async (id: number) => (await listTenants(kysely)).find((tenant) => tenant.id === id),
        }
        const mail = { template: 'reset-password', locale: undefined } as const
        await inTransaction(pool, (tx) => requestTokenMail({ tx, directory }, found, mail))
        await context.wake()
      }
      await audit(context, found, 'account reset-password', { mailed: token === undefined })
      const minutes = emailTokenLifeMs / minuteMs
      const value = token === undefined ? { mailed: found.did } : { token, goodForMinutes: minutes }
      const text = token === undefined ? `a token is mailed to the owner of ${found.did}` : token
      context.print(command, { value, text })
    })
}

async function printOne(context: CtlContext, command: Command, account: Account): Promise<void> {
  const [value] = await withNames(context, [account])
  const rows = Object.entries(value ?? {}).map(([field, value]) => ({ field, value }))
  context.print(command, { value, rows })
}

async function withNames(
  context: CtlContext,
  accounts: Account[],
): Promise<(Omit<Account, 'host_id' | 'tenant_id'> & { host?: string; tenant?: string })[]> {
  const db = context.db.kysely
  const hosts = new Map((await listHosts(db)).map(({ id, hostname }) => [id, hostname]))
  const tenants = new Map((await listTenants(db)).map(({ id, slug }) => [id, slug]))
  return accounts.map(({ host_id, tenant_id, ...account }) => ({
    ...account,
    host: hosts.get(host_id) ?? String(host_id),
    tenant: tenants.get(tenant_id) ?? String(tenant_id),
  }))
}
