import { type Account, AccountNotFoundError, findAccount } from '@rookery/accounts'
import { type BlobSubject, getBlobView, purgeBlob, restoreBlob, takeDownBlob } from '@rookery/records'
import { parseCid } from '@rookery/syntax'
import { getHost } from '@rookery/tenants'
import type { Command } from 'commander'

import type { CtlContext } from '../context.ts'
import { examples } from '../examples.ts'

type Options = { host: string; ref?: string; dryRun?: boolean; yes?: boolean }

/** `ctl blob`. */
export function addBlobCommands(program: Command, context: CtlContext): void {
  const blob = program
    .command('blob')
    .description('Blobs of an account: look at one, take it down, purge it.')
  examples(blob, [
    'ctl blob show alice.acme.example bafkrei… --host pds.acme.example',
    'ctl blob takedown alice.acme.example bafkrei… --host pds.acme.example --ref case-42',
    'ctl blob purge alice.acme.example bafkrei… --host pds.acme.example --dry-run',
  ])
  addAction(blob, context, {
    name: 'show',
    effect: 'Show a blob and records that refer to it.',
    run: noChange,
  })
  addAction(blob, context, {
    name: 'takedown',
    effect: 'Take a blob down: it is neither served nor taken again, and its bytes are kept.',
    run: (subject, _account, ref) => takeDownBlob(context.db.pool, { ...subject, ref }),
  }).option('--ref <text>', 'what the takedown refers to, such as a case number')
  addAction(blob, context, {
    name: 'restore',
    effect: 'Lift the takedown of a blob.',
    run: (subject) => restoreBlob(context.db.pool, subject),
  })
  addAction(blob, context, {
    name: 'purge',
    effect: 'Delete the bytes of a blob for good and refuse them when they come again.',
    run: (subject, { host_id: hostId, tenant_id: tenantId }, ref) =>
      purgeBlob(context.db.pool, { ...subject, hostId, tenantId, ref }),
    isDestructive: true,
  })
    .option('--ref <text>', 'why, such as a case number')
    .option('--yes', 'really')
}

const noChange = (): Promise<void> => Promise.resolve()

type Action = {
  name: string
  effect: string
  run: (subject: BlobSubject, account: Account, ref: string) => Promise<void>
  isDestructive?: boolean
}

function addAction(blob: Command, context: CtlContext, action: Action): Command {
  return blob
    .command(`${action.name} <did-or-handle> <cid>`)
    .description(action.effect)
    .requiredOption('--host <hostname>', 'host that the account lives on')
    .option('--dry-run', 'only show the blob')
    .action(async (name: string, text: string, options: Options, command: Command) => {
      const { pool, kysely } = context.db
      const { id: hostId } = await getHost(kysely, options.host)
      const account = await findAccount(pool, hostId, name)
      if (account === undefined) {
        throw new AccountNotFoundError(`there is no account ${name} on ${options.host}`)
      }
      const subject = { accountId: account.id, cid: parseCid(text) }
      if (options.dryRun !== true) {
        await getBlobView(pool, subject)
        if (action.isDestructive === true && options.yes !== true) {
          command.error(`error: --yes deletes the bytes of ${text} for good`)
        }
        await action.run(subject, account, options.ref ?? `ctl-${Date.now()}`)
      }
      const value = { did: account.did, cid: text, ...(await getBlobView(pool, subject)) }
      const rows = Object.entries(value).map(([field, value]) => ({ field, value }))
      context.print(command, { value, rows })
    })
}
