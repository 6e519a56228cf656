import {
  type BuildExportDeps,
  buildExport,
  collectExpiredExports,
  collectOrphanExports,
} from '@rookery/archives'
import type { BlobStore } from '@rookery/blobs'
import type { Database } from '@rookery/db'
import type { JobProcessor } from '@rookery/jobs'
import { chooseLocale, requestNotice } from '@rookery/mail'
import { RepoExporter } from '@rookery/records'
import type { HostDirectory } from '@rookery/tenants'

type Deps = { db: Database; store: BlobStore; directory: HostDirectory; lifeMs: number }

/** Builds the archive that an owner asked for, and mails that it is ready. */
export function accountExport({ db, store, directory, lifeMs }: Deps): JobProcessor<'account-export'> {
  const deps: BuildExportDeps = {
    db,
    store,
    lifeMs,
    exporter: new RepoExporter(db.pool),
    placeOf: async ({ host_id, tenant_id }) => {
      const host = await directory.findHostById(host_id)
      const tenant = await directory.findTenant(tenant_id)
      return host && tenant && { host: host.hostname, tenant: tenant.slug }
    },
    announce: (tx, account, locale) =>
      requestNotice({ tx, directory }, account, { template: 'export-ready', locale: chooseLocale(locale) }),
  }
  return async (job) => {
    await buildExport(deps, {
      payload: job.payload,
      attempt: job.attempt,
      signal: job.signal,
      log: job.log,
      complete: (tx, result) => job.complete(tx, result),
    })
  }
}

/** Deletes archives whose time is over, and what builds that were cut short left. */
export function accountExportGc(
  deps: Pick<Deps, 'db' | 'store' | 'directory'>,
): JobProcessor<'account-export-gc'> {
  return async ({ payload, signal, log }) => {
    const deleted =
      payload.of === 'expired' ? await collectExpired(deps, signal) : await collectOrphans(deps, signal)
    if (deleted > 0) log.info({ deleted, of: payload.of }, 'archives of accounts deleted')
  }
}

async function collectExpired(deps: Pick<Deps, 'db' | 'store'>, signal: AbortSignal): Promise<number> {
  let deleted = 0
  for (let isDone = false; !isDone;) {
    signal.throwIfAborted()
    const step = await collectExpiredExports(deps)
    deleted += step.deleted
    isDone = step.isDone
  }
  return deleted
}

async function collectOrphans(
  deps: Pick<Deps, 'db' | 'store' | 'directory'>,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0
  for (const { id } of await deps.directory.listHosts()) {
    signal.throwIfAborted()
    deleted += await collectOrphanExports(deps, id)
  }
  return deleted
}
