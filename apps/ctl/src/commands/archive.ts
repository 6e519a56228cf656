import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { type Account, changeAccountStatus, listAccounts } from '@rookery/accounts'
import { type ArchiveDeps, archiveName } from '@rookery/archives'
import { type BlobStore, blobStoreOptions, openBlobStore } from '@rookery/blobs'
import { assertIdentityIsOurs, findDidKey, isPlcDid } from '@rookery/identity'
import { RepoExporter } from '@rookery/records'
import { must } from '@rookery/std'
import { type Host, getHost, getTenant, listHosts, listTenants } from '@rookery/tenants'
import type { Command } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import { exportAccount } from '../archive/export-account.ts'
import { findArchive, openArchive } from '../archive/find-archive.ts'
import { importAccount } from '../archive/import-account.ts'
import type { CtlContext } from '../context.ts'
import { exitCodes } from '../ctl-io.ts'
import { type CtlIdentity, openIdentity } from '../identity.ts'

/** Accounts that are looked up at once. */
const accountsPage = 500

type ImportOptions = { host: string; tenant?: string; handle?: string; activate?: boolean; dryRun?: boolean }

/** `ctl archive`. */
export function addArchiveCommands(program: Command, context: CtlContext): void {
  const archive = program
    .command('archive')
    .description('Accounts as directories: repo, blobs, preferences, and who it is. No passwords, no keys.')
  archive
    .command('export <did-or-handle>')
    .description('Write an account into a directory.')
    .requiredOption('--host <hostname>', 'host that it lives on')
    .requiredOption('--to <directory>', 'where to write it; it gets a directory of its own there')
    .action(async (name: string, { host, to }: { host: string; to: string }, command: Command) => {
      const account = await getAccount(context, { name, host })
      await using store = openStore(context)
      const [written] = await exportAll(context, store, { accounts: [[account]], to })
      await audit(context, account, 'archive export')
      context.printOne(command, must(written))
    })
  addExportTenant(archive, context)
  addImport(archive, context)
}

function addExportTenant(archive: Command, context: CtlContext): void {
  archive
    .command('export-tenant <slug>')
    .description(
      'Write every account of a tenant into directories. Run again, it leaves out those that are there. Exit code 3 if some failed.',
    )
    .requiredOption('--to <directory>', 'where to write them')
    .option('--dry-run', 'only count them')
    .action(async (slug: string, { to, dryRun }: { to: string; dryRun?: boolean }, command: Command) => {
      const tenant = await getTenant(context.db.kysely, slug)
      const accounts = pagesOf(context, tenant.id)
      if (dryRun === true) {
        let wouldExport = 0
        for await (const page of accounts) wouldExport += page.length
        context.print(command, { value: { wouldExport }, text: `would export ${wouldExport} account(s)` })
        return
      }
      await using store = openStore(context)
      const rows = await exportAll(context, store, { accounts, to, isResumed: true })
      const failed = rows.filter(({ error }) => error !== undefined)
      if (failed.length > 0) context.exitCode = exitCodes.found
      context.print(command, {
        value: { exported: rows.length - failed.length, failed },
        text: [
          `exported ${rows.length - failed.length} account(s)`,
          ...failed.map(({ did, error }) => `failed: ${did}: ${error}`),
        ].join('\n'),
      })
    })
}

function addImport(archive: Command, context: CtlContext): void {
  archive
    .command('import <archive>')
    .description(
      'Make an account from an archive, a directory or the file that an owner downloaded: deactivated, without a password, with a new signing key. A worker imports its repo. Run again, it goes on.',
    )
    .requiredOption('--host <hostname>', 'host that it is to live on')
    .option('--tenant <slug>', "tenant that it is to belong to (default: the host's)")
    .option('--handle <handle>', 'another handle than the one that it had')
    .option('--activate', 'point its DID here and activate it; the DID must name a rotation key of ours')
    .option('--dry-run', 'only show what the archive holds')
    .action(async (path: string, options: ImportOptions, command: Command) => {
      await using archive = await openArchive(path)
      const { directory } = archive
      const found = await findArchive(directory)
      if (found === undefined) throw new Error(`${directory} holds no complete archive`)
      if (options.dryRun === true) {
        const { blobs, ...rest } = found
        return context.printOne(command, { ...rest, blobs: blobs.length })
      }
      const db = context.db.kysely
      const host = await getHost(db, options.host)
      const tenants = await listTenants(db)
      const tenant =
        options.tenant === undefined
          ? must(tenants.find(({ id }) => id === host.defaultTenantId))
          : await getTenant(db, options.tenant)
      const handle = options.handle ?? found.handle
      if (handle === null) throw new Error('the archive has no handle: give --handle')
      using identity = openIdentity(context)
      await using store = openStore(context)
      const target = { directory, host, tenant, handle: handle.toLowerCase() }
      const account = await importAccount({ context, identity, store }, found, target)
      await audit(context, account, 'archive import')
      const { status } =
        options.activate === true ? await activate(context, identity, account, host) : account
      const signingKey = await findDidKey(context.db.pool, account.id)
      return context.printOne(command, { did: account.did, handle: account.handle, status, signingKey })
    })
}

/** Points a did:plc to the host, and shows the account again. */
async function activate(
  context: CtlContext,
  identity: CtlIdentity,
  account: Account,
  { publicUrl: pdsUrl }: Host,
): Promise<Account> {
  const { did, handle } = account
  const signingKey = must(await findDidKey(context.db.pool, account.id))
  if (isPlcDid(did)) await identity.plc.pointHere(did, { handle: must(handle), signingKey, pdsUrl })
  await assertIdentityIsOurs(identity, { did, signingKey, pdsUrl, handle })
  const activated = await changeAccountStatus({ db: context.db }, account.id, { deactivated: null })
  await context.wake()
  return activated
}

type Written = { did: string; directory: string; blobs?: number; error?: string }

async function exportAll(
  context: CtlContext,
  store: BlobStore,
  of: { accounts: AsyncIterable<Account[]> | Iterable<Account[]>; to: string; isResumed?: boolean },
): Promise<Written[]> {
  const { db } = context
  const hosts = new Map((await listHosts(db.kysely)).map(({ id, hostname }) => [id, hostname]))
  const tenants = new Map((await listTenants(db.kysely)).map(({ id, slug }) => [id, slug]))
  const deps: ArchiveDeps = { db, store, exporter: new RepoExporter(db.pool) }
  await mkdir(of.to, { recursive: true })
  const written: Written[] = []
  for await (const page of of.accounts) {
    for (const account of page) {
      const directory = join(resolve(of.to), archiveName(account.did))
      const to = {
        directory,
        host: hosts.get(account.host_id) ?? '',
        tenant: tenants.get(account.tenant_id) ?? '',
      }
      const isThere = of.isResumed === true && (await findArchive(directory)) !== undefined
      if (!isThere) written.push(await exportOne(deps, account, to, of.isResumed === true))
      context.progress(`${written.length} accounts exported`)
    }
  }
  return written
}

/** One of many that fails does not keep the others from being written. */
async function exportOne(
  deps: ArchiveDeps,
  account: Account,
  to: { directory: string; host: string; tenant: string },
  isOneOfMany: boolean,
): Promise<Written> {
  const { did } = account
  const { directory } = to
  try {
    return { did, directory, blobs: (await exportAccount(deps, account, to)).blobs.length }
  } catch (error) {
    if (!isOneOfMany) throw error
    return { did, directory, error: error instanceof Error ? error.message : String(error) }
  }
}

async function* pagesOf({ db }: CtlContext, tenantId: number): AsyncIterable<Account[]> {
  for (let afterId: number | undefined = 0; afterId !== undefined;) {
    const page = await listAccounts(db.pool, { tenantIds: [tenantId], afterId, limit: accountsPage })
    yield page
    afterId = page.at(-1)?.id
  }
}

function openStore(context: CtlContext): BlobStore {
  return openBlobStore(blobStoreOptions(context.config().blobs))
}
