import {
  type Account,
  AccountNotFoundError,
  type StatusChange,
  appendAuditEntry,
  changeAccountStatus,
  deleteAccount,
  findAccount,
  listAccounts,
  scheduleErasure,
} from '@rookery/accounts'
import type { AccountStatus } from '@rookery/db'
import { getHost, getTenant, listHosts, listTenants } from '@rookery/tenants'
import { type Command, Option } from 'commander'

import type { CtlContext } from '../context.ts'
import { examples } from '../examples.ts'
import { wholeNumber } from '../parse.ts'

type Where = { host: string }
type ChangeOptions = { ref?: string; reason?: string }
type ListOptions = { host?: string; tenant?: string; status?: AccountStatus; after?: number; limit: number }

/** `ctl account`. */
export function addAccountCommands(program: Command, context: CtlContext): void {
  const account = program
    .command('account')
    .description('Accounts: look at them, suspend, take down, delete.')
  examples(account, [
    'ctl account list --host pds.acme.example --status suspended',
    'ctl account show alice.acme.example --host pds.acme.example',
    'ctl account takedown alice.acme.example --host pds.acme.example --ref case-42',
    'ctl account delete alice.acme.example --host pds.acme.example --dry-run',
  ])
  addList(account, context)
  account
    .command('show <did-or-handle>')
    .description('Show an account.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .action(async (name: string, where: Where, command: Command) =>
      printOne(context, command, await find(context, name, where)),
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
}

function addList(account: Command, context: CtlContext): void {
  const statuses = ['active', 'deactivated', 'suspended', 'takendown']
  account
    .command('list')
    .description('List accounts, oldest first. JSON has their e-mail addresses too.')
    .option('--host <hostname>', 'only those of the host')
    .option('--tenant <slug>', 'only those of the tenant')
    .addOption(new Option('--status <status>', 'only those of the status').choices(statuses))
    .option('--after <id>', 'only those after the account', wholeNumber(1))
    .option('--limit <n>', 'at most so many', wholeNumber(1), 100)
    .action(async (options: ListOptions, command: Command) => {
      const db = context.db.kysely
      const { host, tenant, status, after: afterId, limit } = options
      const hostId = host === undefined ? undefined : (await getHost(db, host)).id
      const tenantIds = tenant === undefined ? undefined : [(await getTenant(db, tenant)).id]
      const found = await listAccounts(context.db.pool, { hostId, tenantIds, status, afterId, limit })
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
      const found = await find(context, name, options)
      if (options.dryRun === true) return printOne(context, command, found)
      const changed = await changeAccountStatus({ db: context.db }, found.id, of.change(options))
      const { ref, reason } = options
      await audit(context, found, `account ${of.name}`, { ref, reason })
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
      const found = await find(context, name, options)
      if (options.dryRun === true) return printOne(context, command, found)
      if (options.yes !== true) command.error(`error: --yes deletes ${found.did} for good`)
      await deleteAccount({ db: context.db, scheduleErasure }, found.id)
      await audit(context, found, 'account delete', {})
      context.print(command, { value: { deleted: found.did }, text: `deleted ${found.did}` })
    })
}

/** Keeps in the audit log what was done to the account. */
async function audit(
  { db }: CtlContext,
  { host_id: hostId, tenant_id: tenantId, did }: Account,
  action: string,
  detail: object,
): Promise<void> {
  await appendAuditEntry(db.pool, { hostId, tenantId, did, actor: 'ctl', action, detail })
}

async function find(context: CtlContext, name: string, { host }: Where): Promise<Account> {
  const { id: hostId } = await getHost(context.db.kysely, host)
  const account = await findAccount(context.db.pool, hostId, name)
  if (account === undefined) throw new AccountNotFoundError(`there is no account ${name} on ${host}`)
  return account
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
