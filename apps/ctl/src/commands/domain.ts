import {
  addHandleDomain,
  countAccountsUnderDomain,
  listHandleDomains,
  listHosts,
  listTenants,
  removeHandleDomain,
} from '@rookery/tenants'
import type { Command } from 'commander'

import { auditSetting } from '../accounts.ts'
import type { CtlContext } from '../context.ts'

/** `ctl domain`. */
export function addDomainCommands(program: Command, context: CtlContext): void {
  const domain = program
    .command('domain')
    .description("Handle domains: under which a tenant's accounts have handles.")
  domain
    .command('add <domain>')
    .description('Give a tenant a handle domain on a host. Point *.<domain> at the host in DNS.')
    .requiredOption('--host <hostname>', 'host that serves its accounts')
    .requiredOption('--tenant <slug>', 'tenant that it belongs to')
    .action(async (name: string, options: { host: string; tenant: string }, command: Command) => {
      const { host, tenant } = options
      const added = await addHandleDomain(context.db.kysely, { domain: name, hostname: host, tenant })
      const row = { domain: added.domain, host, tenant }
      await auditSetting(context, added, 'domain add', { domain: added.domain })
      context.print(command, { value: row, rows: [row] })
    })
  domain
    .command('list')
    .description('List handle domains.')
    .option('--host <hostname>', 'only those of the host')
    .option('--tenant <slug>', 'only those of the tenant')
    .action(async (options: { host?: string; tenant?: string }, command: Command) => {
      const rows = (await domains(context)).filter(
        (row) =>
          (options.host === undefined || row.host === options.host.toLowerCase()) &&
          (options.tenant === undefined || row.tenant === options.tenant),
      )
      context.print(command, { value: rows, rows })
    })
  addRemove(domain, context)
}

function addRemove(domain: Command, context: CtlContext): void {
  domain
    .command('remove <domain>')
    .description('Take a handle domain away. Refused while accounts have their handles under it.')
    .option('--force', 'even then: their handles are no longer proved, apps show them as invalid')
    .option('--dry-run', 'only say what would happen')
    .action(async (name: string, options: { force?: boolean; dryRun?: boolean }, command: Command) => {
      const db = context.db.kysely
      const accounts = await countAccountsUnderDomain(db, name)
      const isDryRun = options.dryRun === true
      if (!isDryRun) {
        const of = (await listHandleDomains(db)).find(({ domain }) => domain === name.toLowerCase())
        await removeHandleDomain(db, name, { evenIfUsed: options.force === true })
        if (of !== undefined)
          await auditSetting(context, of, 'domain remove', { domain: of.domain, accounts })
      }
      context.print(command, {
        value: { domain: name, accounts, removed: !isDryRun },
        text: `${isDryRun ? 'would remove' : 'removed'} ${name}: ${accounts} account(s) with handles under it`,
      })
    })
}

async function domains(context: CtlContext): Promise<{ domain: string; host: string; tenant: string }[]> {
  const db = context.db.kysely
  const hosts = new Map((await listHosts(db)).map(({ id, hostname }) => [id, hostname]))
  const tenants = new Map((await listTenants(db)).map(({ id, slug }) => [id, slug]))
  return (await listHandleDomains(db)).map(({ domain, hostId, tenantId }) => ({
    domain,
    host: hosts.get(hostId) ?? String(hostId),
    tenant: tenants.get(tenantId) ?? String(tenantId),
  }))
}
