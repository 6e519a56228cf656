import { listAccounts } from '@rookery/accounts'
import {
  type Recount,
  findBlobUsage,
  getTenantBlobUsage,
  recountAccountUsage,
  recountTenantUsage,
  setAccountBlobQuota,
} from '@rookery/records'
import { getTenant, listTenants } from '@rookery/tenants'
import type { Command } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { none, orNone, wholeNumber } from '../parse.ts'

type Named = { host: string }

/** Accounts that are looked up at once for a recount. */
const recountPage = 500

/** `ctl usage`. */
export function addUsageCommands(program: Command, context: CtlContext): void {
  const usage = program.command('usage').description('How many bytes of blobs there are, and may be.')
  usage
    .command('list')
    .description('Show what every tenant has.')
    .action(async (_options: object, command: Command) => {
      const rows = []
      for (const { id, slug, settings } of await listTenants(context.db.kysely)) {
        const { bytes, count } = await getTenantBlobUsage(context.db.pool, id)
        rows.push({ tenant: slug, blobs: count, bytes, quota: settings.tenantBlobBytesMax })
      }
      context.print(command, { value: rows, rows })
    })
  usage
    .command('show <did-or-handle>')
    .description('Show what an account has.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .action((name: string, options: Named, command: Command) => show(context, command, { name, ...options }))
  usage
    .command('quota <did-or-handle> <bytes|none>')
    .description("Give an account a quota of its own; none: it has its tenant's.")
    .requiredOption('--host <hostname>', 'host that it lives on')
    .action(async (name: string, text: string, options: Named, command: Command) => {
      const bytes = orNone(wholeNumber(0))(text)
      const account = await getAccount(context, { name, ...options })
      const bytesMax = bytes === none ? null : bytes
      await setAccountBlobQuota(context.db.pool, account.id, bytesMax)
      await audit(context, account, 'usage quota', { bytesMax })
      await show(context, command, { name, ...options })
    })
  usage
    .command('recount <tenant>')
    .description("Count a tenant's blobs anew and set its running totals right; shows what was wrong.")
    .action((slug: string, _options: object, command: Command) => recount(context, command, slug))
}

async function show(context: CtlContext, command: Command, of: Named & { name: string }): Promise<void> {
  const account = await getAccount(context, of)
  const usage = await findBlobUsage(context.db.pool, account.id)
  const tenants = await listTenants(context.db.kysely)
  const tenant = tenants.find(({ id }) => id === account.tenant_id)
  const rows = [
    {
      of: account.did,
      blobs: usage?.count,
      bytes: usage?.bytes,
      quota: usage?.bytesMax ?? tenant?.settings.accountBlobBytesMax ?? null,
    },
    {
      of: tenant?.slug,
      blobs: usage?.tenant.count,
      bytes: usage?.tenant.bytes,
      quota: tenant?.settings.tenantBlobBytesMax ?? null,
    },
  ]
  context.print(command, { value: rows, rows })
}

async function recount(context: CtlContext, command: Command, slug: string): Promise<void> {
  const { pool, kysely } = context.db
  const { id: tenantId } = await getTenant(kysely, slug)
  const wrong: { of: string; before: string; after: string }[] = []
  const note = (of: string, { before, after }: Recount): void => {
    if (before.bytes === after.bytes && before.count === after.count) return
    wrong.push({
      of,
      before: `${before.count} blobs, ${before.bytes} bytes`,
      after: `${after.count} blobs, ${after.bytes} bytes`,
    })
  }
  let counted = 0
  for (let afterId: number | undefined = 0; afterId !== undefined;) {
    const page = await listAccounts(pool, { tenantIds: [tenantId], afterId, limit: recountPage })
    for (const { id, did } of page) note(did, await recountAccountUsage(pool, id))
    counted += page.length
    context.progress(`${counted} accounts counted`)
    afterId = page.at(-1)?.id
  }
  note(slug, await recountTenantUsage(pool, tenantId))
  context.print(command, { value: wrong, rows: wrong })
}
