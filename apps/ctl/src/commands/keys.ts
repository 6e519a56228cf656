import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { type Account, listAccounts } from '@rookery/accounts'
import {
  IncompatibleDidDocError,
  type PlcIdentities,
  atprotoData,
  countWrapped,
  findDidKey,
  generatePrivateKey,
  isPlcDid,
  keySigner,
  rewrapSecrets,
} from '@rookery/identity'
import { processTidClock, rotateSigningKey } from '@rookery/records'
import { secondMs } from '@rookery/std'
import { getHost, getTenant } from '@rookery/tenants'
import { type Command, Argument } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { exitCodes } from '../ctl-io.ts'
import { type CtlIdentity, openIdentity } from '../identity.ts'
import { wholeNumber } from '../parse.ts'

/** Accounts that are looked up at once. */
const accountsPage = 500

/** `ctl keys`. */
export function addKeysCommands(program: Command, context: CtlContext): void {
  const keys = program
    .command('keys')
    .description('Keys: what wraps the secrets, the PLC rotation key, and the keys that sign repos.')
  addGenerate(keys, context)
  keys
    .command('status')
    .description(
      'Show under which key how many secrets are wrapped. Exit code 3 if one of the keys is not here.',
    )
    .action(async (_options: object, command: Command) => {
      using identity = openIdentity(context)
      const rows = await countWrapped(context.db.pool, identity.wrapper)
      if (rows.some(({ key }) => key === 'unknown')) context.exitCode = exitCodes.found
      context.print(command, { value: rows, rows })
    })
  addRewrap(keys, context)
  addRotatePlc(keys, context)
  addRotateSigning(keys, context)
}

function addGenerate(keys: Command, context: CtlContext): void {
  keys
    .command('generate')
    .description('Print a new key: for ROOKERY_KEY_ENCRYPTION_KEY, or a pair for ROOKERY_PLC_ROTATION_KEY.')
    .addArgument(new Argument('<kind>').choices(['encryption', 'plc']))
    .action((kind: 'encryption' | 'plc', _options: object, command: Command) => {
      const privateKey = kind === 'plc' ? generatePrivateKey() : randomBytes(32)
      const value = {
        privateKey: Buffer.from(privateKey).toString('hex'),
        ...(kind === 'plc' ? { didKey: keySigner(privateKey).didKey } : {}),
      }
      context.printOne(command, value)
    })
}

function addRewrap(keys: Command, context: CtlContext): void {
  keys
    .command('rewrap')
    .description(
      'Wrap every secret with the current key-encryption key, while pods serve. Safe to break off and to run again. Exit code 3 if some do not unwrap.',
    )
    .option('--dry-run', 'only check that everything unwraps')
    .action(async ({ dryRun }: { dryRun?: boolean }, command: Command) => {
      using identity = openIdentity(context)
      const value = await rewrapSecrets(context.db.pool, identity.wrapper, {
        isDryRun: dryRun === true,
        onProgress: (seen) => context.progress(`${seen} secrets`),
      })
      if (value.failed.length > 0) context.exitCode = exitCodes.found
      context.print(command, {
        value,
        text: [
          `${dryRun === true ? 'would wrap' : 'wrapped'} ${value.rewrapped} secret(s) anew`,
          ...value.failed.map(({ secrets, row, error }) => `failed: ${secrets}, ${row}: ${error}`),
        ].join('\n'),
      })
    })
}

type PlcOptions = { host?: string; tenant?: string; after: number; perSecond: number; dryRun?: boolean }
type PlcOutcome = {
  updated: number
  current: number
  /** DIDs that name no key of ours any more: their owners took them out of our hands. */
  removed: string[]
  failed: { did: string; error: string }[]
}

function addRotatePlc(keys: Command, context: CtlContext): void {
  keys
    .command('rotate-plc')
    .description(
      'Have every did:plc name the current rotation key in the place of previous ones. Safe to break off and to run again. Exit code 3 if some name no key of ours, or failed.',
    )
    .option('--host <hostname>', 'only accounts of the host')
    .option('--tenant <slug>', 'only accounts of the tenant')
    .option('--after <id>', 'only accounts after this one: where an earlier run stopped', wholeNumber(0), 0)
    .option(
      '--per-second <n>',
      'most operations that the directory is sent in a second',
      wholeNumber(1, 100),
      5,
    )
    .option('--dry-run', 'only look at the documents')
    .action(async (options: PlcOptions, command: Command) => {
      using identity = openIdentity(context)
      const outcome: PlcOutcome = { updated: 0, current: 0, removed: [], failed: [] }
      for await (const account of accountsOf(context, options)) {
        if (!isPlcDid(account.did)) continue
        if (await renewRotationKey(identity.plc, account, options, outcome)) {
          await sleep(secondMs / options.perSecond)
        }
        const { updated, current } = outcome
        context.progress(`account ${account.id}: ${updated} updated, ${current} current`)
      }
      if (outcome.removed.length + outcome.failed.length > 0) context.exitCode = exitCodes.found
      context.print(command, { value: outcome, text: plcText(outcome, options.dryRun === true) })
    })
}

async function renewRotationKey(
  plc: PlcIdentities,
  { did }: Account,
  { dryRun }: PlcOptions,
  outcome: PlcOutcome,
): Promise<boolean> {
  try {
    const done = await plc.updateRotationKey(did, { isDryRun: dryRun === true })
    if (done === 'removed') outcome.removed.push(did)
    else outcome[done]++
    return done === 'updated' && dryRun !== true
  } catch (error) {
    outcome.failed.push({ did, error: error instanceof Error ? error.message : String(error) })
    return true
  }
}

function plcText({ updated, current, removed, failed }: PlcOutcome, isDryRun: boolean): string {
  return [
    `${isDryRun ? 'would update' : 'updated'} ${updated}, ${current} name the current key already`,
    ...removed.map((did) => `names no key of ours: ${did}`),
    ...failed.map(({ did, error }) => `failed: ${did}: ${error}`),
  ].join('\n')
}

async function* accountsOf(context: CtlContext, { host, tenant, after }: PlcOptions): AsyncIterable<Account> {
  const db = context.db.kysely
  const hostId = host === undefined ? undefined : (await getHost(db, host)).id
  const tenantIds = tenant === undefined ? undefined : [(await getTenant(db, tenant)).id]
  for (let afterId: number | undefined = after; afterId !== undefined;) {
    const page = await listAccounts(context.db.pool, { hostId, tenantIds, afterId, limit: accountsPage })
    yield* page
    afterId = page.at(-1)?.id
  }
}

function addRotateSigning(keys: Command, context: CtlContext): void {
  keys
    .command('rotate-signing <did-or-handle>')
    .description(
      "Give an account another signing key: in its DID document, then in a commit. A did:web is its owner's to edit: the first call prints the key, one after the edit takes it into use.",
    )
    .requiredOption('--host <hostname>', 'host that it lives on')
    .option('--dry-run', 'only show the key that it has')
    .action(async (name: string, { host, dryRun }: { host: string; dryRun?: boolean }, command: Command) => {
      const account = await getAccount(context, { name, host })
      using identity = openIdentity(context)
      const before = await findDidKey(context.db.pool, account.id)
      if (dryRun === true) return context.printOne(command, { did: account.did, key: before })
      const { didKey, rev } = await rotateSigningKey(
        {
          db: context.db,
          signingKeys: identity.signingKeys,
          clock: processTidClock(),
          publish: (key) => publish(identity, account.did, key),
        },
        account,
      )
      await identity.identities.forget({ did: account.did })
      await audit(context, account, 'keys rotate-signing', { before, after: didKey })
      await context.wake()
      return context.printOne(command, { did: account.did, before, key: didKey, rev })
    })
}

/** Makes the DID document name the key, or returns if it does. */
async function publish({ plc, identities }: CtlIdentity, did: string, didKey: string): Promise<void> {
  if (isPlcDid(did)) return plc.updateSigningKey(did, didKey)
  const { signingKey } = atprotoData(await identities.resolveDid(did, { refresh: true }))
  if (signingKey !== didKey) {
    throw new IncompatibleDidDocError(
      `have the owner of ${did} put ${didKey.slice('did:key:'.length)} into the document as #atproto, then call this again`,
    )
  }
}
