import type { Account } from '@rookery/accounts'
import { type BlobSubject, getBlobView, purgeBlob, restoreBlob, takeDownBlob } from '@rookery/records'
import { parseCid } from '@rookery/syntax'
import type { Command } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'

type Options = { host: string; ref?: string; dryRun?: boolean; yes?: boolean }

/** `ctl blob`. */
export function addBlobCommands(program: Command, context: CtlContext): void {
  const blob = program
    .command('blob')
    .description('Blobs of an account: look at one, take it down, purge it.')
  addAction(blob, context, {
    name: 'show',
    effect: 'Show a blob and records that refer to it.',
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

type Action = {
  name: string
  effect: string
  run?: (subject: BlobSubject, account: Account, ref: string) => Promise<void>
  isDestructive?: boolean
}

function addAction(blob: Command, context: CtlContext, action: Action): Command {
  return blob
    .command(`${action.name} <did-or-handle> <cid>`)
    .description(action.effect)
    .requiredOption('--host <hostname>', 'host that the account lives on')
    .option('--dry-run', 'only show the blob')
    .action(async (name: string, text: string, options: Options, command: Command) => {
      const { pool } = context.db
      const account = await getAccount(context, { name, host: options.host })
      const subject = { accountId: account.id, cid: parseCid(text) }
      if (options.dryRun !== true) {
        await getBlobView(pool, subject)
        if (action.isDestructive === true && options.yes !== true) {
          command.error(`error: --yes deletes the bytes of ${text} for good`)
        }
        if (action.run !== undefined) {
          const ref = options.ref ?? `ctl-${Date.now()}`
          await action.run(subject, account, ref)
          await audit(context, account, `blob ${action.name}`, { cid: text, ref: options.ref })
          await context.wake()
        }
      }
      const value = { did: account.did, cid: text, ...(await getBlobView(pool, subject)) }
      context.printOne(command, value)
    })
}
