import {
  type DeliveryRow,
  type DeliveryState,
  type TemplateName,
  deliveryStates,
  listDeliveries,
  listSuppressed,
  retryFailed,
  sampleMail,
  templateNames,
  unsuppress,
} from '@rookery/mail'
import { type Locale, getHost, getTenant, listHosts, listTenants, locales } from '@rookery/tenants'
import { type Command, Argument, Option } from 'commander'

import type { CtlContext } from '../context.ts'
import { ids, wholeNumber } from '../parse.ts'

type ListOptions = {
  host?: string
  tenant?: string
  state?: DeliveryState
  to?: string
  before?: number
  limit: number
}

/** `ctl mail`. */
export function addMailCommands(program: Command, context: CtlContext): void {
  const mail = program
    .command('mail')
    .description('Mail: what became of it, addresses that get none, how it looks.')
  addList(mail, context)
  addRetry(mail, context)
  addSuppressed(mail, context)
  addPreview(mail, context)
}

function addList(mail: Command, context: CtlContext): void {
  const states = Object.entries(deliveryStates).map(([state, meaning]) => `${state} (${meaning})`)
  mail
    .command('list')
    .description(`List the mails of the last 30 days, newest first. States: ${states.join('; ')}.`)
    .option('--host <hostname>', 'only those of the host')
    .option('--tenant <slug>', 'only those of the tenant')
    .addOption(new Option('--state <state>', 'only those of the state').choices(Object.keys(deliveryStates)))
    .option('--to <address>', 'only those to the address')
    .option('--before <id>', 'only those older than the mail', wholeNumber(1))
    .option('--limit <n>', 'at most so many', wholeNumber(1), 100)
    .action(async ({ host, tenant, state, to, before, limit }: ListOptions, command: Command) => {
      const db = context.db.kysely
      const found = await listDeliveries(context.db.pool, {
        hostId: host === undefined ? undefined : (await getHost(db, host)).id,
        tenantIds: tenant === undefined ? undefined : [(await getTenant(db, tenant)).id],
        state,
        recipient: to?.toLowerCase(),
        belowId: before,
        limit,
      })
      const hosts = new Map((await listHosts(db)).map(({ id, hostname }) => [id, hostname]))
      const tenants = await tenantNames(context)
      const value = found.map(({ host_id, tenant_id, ...delivery }) => ({
        ...delivery,
        host: hosts.get(host_id) ?? String(host_id),
        tenant: tenants.get(tenant_id) ?? String(tenant_id),
      }))
      context.print(command, { value, rows: value.map(toRow) })
    })
}

function toRow(
  delivery: Omit<DeliveryRow, 'host_id' | 'tenant_id'> & { tenant: string },
): Record<string, unknown> {
  const { id, created_at, tenant, template, recipient, state, attempts, error } = delivery
  return {
    id,
    asked: created_at,
    tenant,
    template,
    to: recipient,
    state,
    attempts,
    error: error?.slice(0, 120),
  }
}

function addRetry(mail: Command, context: CtlContext): void {
  mail
    .command('retry')
    .description('Give mails that failed all their attempts again.')
    .argument('<ids...>', 'ids of failed mails', ids)
    .action(async (chosen: number[], _options: object, command: Command) => {
      const retried = await retryFailed({ db: context.db }, chosen)
      await context.wake()
      context.print(command, { value: { retried }, text: `queued ${retried.length} mail(s) again` })
    })
}

function addSuppressed(mail: Command, context: CtlContext): void {
  mail
    .command('suppressed')
    .description('List the addresses that nothing is sent to, because mail came back or was called unwanted.')
    .option('--tenant <slug>', 'only those of the tenant')
    .action(async ({ tenant }: { tenant?: string }, command: Command) => {
      const tenantId = tenant === undefined ? undefined : (await getTenant(context.db.kysely, tenant)).id
      const tenants = await tenantNames(context)
      const value = (await listSuppressed(context.db.pool, tenantId)).map(({ tenant_id, ...address }) => ({
        ...address,
        tenant: tenants.get(tenant_id) ?? String(tenant_id),
      }))
      context.print(command, { value, rows: value })
    })
  mail
    .command('unsuppress <address>')
    .description('Send mail to an address again.')
    .requiredOption('--tenant <slug>', 'tenant that sends nothing to it')
    .action(async (address: string, { tenant }: { tenant: string }, command: Command) => {
      const { id } = await getTenant(context.db.kysely, tenant)
      const isDone = await unsuppress(context.db.pool, id, address)
      if (!isDone) command.error(`error: ${address} is not suppressed for ${tenant}`)
      context.print(command, { value: { unsuppressed: address }, text: `${address} gets mail again` })
    })
}

function addPreview(mail: Command, context: CtlContext): void {
  mail
    .command('preview')
    .description('Print the HTML of a mail as the tenant would send it, filled in with an example.')
    .addArgument(new Argument('<template>').choices([...templateNames]))
    .requiredOption('--tenant <slug>', 'tenant whose brand it is in')
    .addOption(new Option('--locale <locale>', "language; default the tenant's").choices([...locales]))
    .option('--text', 'print the plain text')
    .action(async (template: TemplateName, options: PreviewOptions, command: Command) => {
      const tenant = await getTenant(context.db.kysely, options.tenant)
      const locale = options.locale ?? tenant.settings.defaultLocale
      const value = sampleMail(template, { tenant, locale })
      context.print(command, { value, text: options.text === true ? value.text : value.html })
    })
}

type PreviewOptions = { tenant: string; locale?: Locale; text?: boolean }

async function tenantNames(context: CtlContext): Promise<Map<number, string>> {
  return new Map((await listTenants(context.db.kysely)).map(({ id, slug }) => [id, slug]))
}
