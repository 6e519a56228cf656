import type { RateOverrides } from '@rookery/config'
import { type Host, createHost, getHost, listHosts, listTenants, updateHost } from '@rookery/tenants'
import { type Command, Option } from 'commander'

import { auditSetting } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { rateLimitsOption } from '../tenant-settings.ts'

/** `ctl host`. */
export function addHostCommands(program: Command, context: CtlContext): void {
  const host = program.command('host').description('PDS hostnames: each is a complete server on the network.')
  addCreate(host, context)
  host
    .command('list')
    .description('List every host.')
    .action(async (_options: object, command: Command) =>
      print(context, command, await listHosts(context.db.kysely)),
    )
  host
    .command('show <hostname>')
    .description('Show a host.')
    .action(async (hostname: string, _options: object, command: Command) =>
      print(context, command, [await getHost(context.db.kysely, hostname)]),
    )
  addEdit(host, context)
  addStatus(host, context, {
    name: 'suspend',
    status: 'suspended',
    effect: 'Answer every request to the host with 503.',
  })
  addStatus(host, context, { name: 'resume', status: 'active', effect: 'Serve a suspended host again.' })
}

function kindOption(): Option {
  return new Option('--kind <kind>', 'shared: many tenants; dedicated: one').choices(['shared', 'dedicated'])
}

function addCreate(host: Command, context: CtlContext): void {
  host
    .command('create <hostname>')
    .description('Create a host. Its service DID is did:web:<hostname>.')
    .requiredOption('--tenant <slug>', 'tenant whose name it shows, and of accounts without a handle domain')
    .option('--url <origin>', 'public origin (default: https://<hostname>)')
    .addOption(kindOption().default('shared'))
    .action(
      async (
        hostname: string,
        options: { tenant: string; url?: string; kind: Host['kind'] },
        command: Command,
      ) => {
        const { tenant, url, kind } = options
        const input = { hostname, tenant, kind, ...(url === undefined ? {} : { publicUrl: url }) }
        const created = await createHost(context.db.kysely, input)
        await auditSetting(context, { hostId: created.id }, 'host create', input)
        await print(context, command, [created])
      },
    )
}

function addEdit(host: Command, context: CtlContext): void {
  host
    .command('edit <hostname>')
    .description('Change a host; what is not given stays.')
    .option('--tenant <slug>', 'default tenant')
    .option('--url <origin>', 'public origin')
    .addOption(kindOption())
    .option(rateLimitsOption.flags, rateLimitsOption.description, rateLimitsOption.parse)
    .action(
      async (
        hostname: string,
        options: { tenant?: string; url?: string; kind?: Host['kind']; rateLimits?: RateOverrides },
        command: Command,
      ) => {
        const { url, ...rest } = options
        const change = { ...rest, ...(url === undefined ? {} : { publicUrl: url }) }
        const updated = await updateHost(context.db.kysely, hostname, change)
        await auditSetting(context, { hostId: updated.id }, 'host edit', change)
        await print(context, command, [updated])
      },
    )
}

function addStatus(
  host: Command,
  context: CtlContext,
  of: { name: string; status: Host['status']; effect: string },
): void {
  host
    .command(`${of.name} <hostname>`)
    .description(of.effect)
    .action(async (hostname: string, _options: object, command: Command) => {
      const updated = await updateHost(context.db.kysely, hostname, { status: of.status })
      await auditSetting(context, { hostId: updated.id }, `host ${of.name}`, {})
      await print(context, command, [updated])
    })
}

async function print(context: CtlContext, command: Command, hosts: Host[]): Promise<void> {
  const slugs = new Map((await listTenants(context.db.kysely)).map(({ id, slug }) => [id, slug]))
  const value = hosts.map(({ defaultTenantId, ...host }) => ({ ...host, tenant: slugs.get(defaultTenantId) }))
  const rows = value.map(({ hostname, status, kind, tenant, publicUrl, serviceDid, rateLimits }) => ({
    hostname,
    status,
    kind,
    tenant,
    url: publicUrl,
    did: serviceDid,
    'rate limits': Object.keys(rateLimits).length === 0 ? '' : JSON.stringify(rateLimits),
  }))
  context.print(command, { value: value.length === 1 && command.name() !== 'list' ? value[0] : value, rows })
}
