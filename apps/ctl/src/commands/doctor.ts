import { type Account, listAccounts, sampleAccounts } from '@rookery/accounts'
import { type BlobStore, blobStoreOptions, openBlobStore } from '@rookery/blobs'
import { createSafeFetch } from '@rookery/http'
import { secondMs } from '@rookery/std'
import { type Host, getHost, listHosts } from '@rookery/tenants'
import type { Command } from 'commander'

import { getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { exitCodes } from '../ctl-io.ts'
import { checkAccount } from '../doctor/check-account.ts'
import { checkCluster } from '../doctor/check-cluster.ts'
import { checkHost } from '../doctor/check-host.ts'
import type { Finding } from '../doctor/finding.ts'
import { openIdentity } from '../identity.ts'
import { wholeNumber } from '../parse.ts'

/** Accounts that are looked up at once. */
const accountsPage = 500

/** Longest wait for a host's answer, in milliseconds. */
const hostTimeoutMs = 5 * secondMs

type Options = { account?: string; host?: string; all?: boolean; sample?: number }

/** `ctl doctor`. */
export function addDoctorCommand(program: Command, context: CtlContext): void {
  program
    .command('doctor')
    .description(
      'Look for what is not as it has to be: cluster and hosts, and accounts if asked to. Changes nothing. Exit code 3 if there is something.',
    )
    .option('--account <did-or-handle>', 'only this account; wants --host')
    .option('--host <hostname>', 'only this host and its accounts')
    .option('--all', 'every account too: reads all repos and lists all objects')
    .option('--sample <n>', 'so many accounts too, at random', wholeNumber(1, 100_000))
    .action(async (options: Options, command: Command) => {
      if (options.account !== undefined && options.host === undefined)
        command.error('error: --account wants --host')
      const findings: Finding[] = []
      const checked = await examine(context, options, findings)
      if (findings.length > 0) context.exitCode = exitCodes.found
      context.print(command, { value: { checked, findings }, rows: findings })
    })
}

async function examine(
  context: CtlContext,
  options: Options,
  findings: Finding[],
): Promise<{ hosts: number; accounts: number }> {
  const { allowPrivateNetwork } = context.config(['ctl']).identity
  using identity = openIdentity(context)
  await using store = openStore(context)
  const report = (finding: Finding): void => void findings.push(finding)
  const { db } = context
  const all = await listHosts(db.kysely)
  const hosts = options.host === undefined ? all : [await getHost(db.kysely, options.host)]
  if (options.account === undefined) {
    if (options.host === undefined) await checkCluster(context, identity, { store: store.opened, report })
    const fetch = createSafeFetch({ allowPrivateNetwork, timeoutMs: hostTimeoutMs })
    for (const host of hosts) if (host.status === 'active') await checkHost(fetch, host, report)
  }
  const byId = new Map<number, Host>(all.map((host) => [host.id, host]))
  let accounts = 0
  for await (const account of chosenAccounts(context, options)) {
    const host = byId.get(account.host_id)
    if (host === undefined) continue
    await checkAccount({ db, identity, store: store.opened, report }, account, host)
    accounts++
    context.progress(`${accounts} accounts, ${findings.length} findings`)
  }
  return { hosts: options.account === undefined ? hosts.length : 0, accounts }
}

/** Opens the blob store if it is configured here. */
function openStore(context: CtlContext): AsyncDisposable & { opened: BlobStore | undefined } {
  const { blobs } = context.config()
  const isSet = blobs.driver === 's3' ? blobs.s3Bucket !== undefined : blobs.directory !== undefined
  const opened = isSet ? openBlobStore(blobStoreOptions(blobs)) : undefined
  return { opened, [Symbol.asyncDispose]: async () => opened?.[Symbol.asyncDispose]() }
}

async function* chosenAccounts(context: CtlContext, options: Options): AsyncIterable<Account> {
  const { account, host, all, sample } = options
  const { pool, kysely } = context.db
  if (account !== undefined && host !== undefined) {
    yield await getAccount(context, { name: account, host })
    return
  }
  const hostId = host === undefined ? undefined : (await getHost(kysely, host)).id
  if (sample !== undefined) {
    yield* await sampleAccounts(pool, { hostId, limit: sample })
    return
  }
  for (let afterId: number | undefined = all === true ? 0 : undefined; afterId !== undefined;) {
    const page = await listAccounts(pool, { hostId, afterId, limit: accountsPage })
    yield* page
    afterId = page.at(-1)?.id
  }
}
