import { type RecordPath, RecordNotFoundError, findRecordTakedown, setRecordTakedown } from '@rookery/records'
import { cidToString, parseAtUri } from '@rookery/syntax'
import { type Command, InvalidArgumentError } from 'commander'

import { audit, getAccount } from '../accounts.ts'
import type { CtlContext } from '../context.ts'

type Options = { host: string; ref?: string; dryRun?: boolean }
type Uri = { authority: string } & Omit<RecordPath, 'accountId'>
type Action = { name: string; effect: string; ref?: (options: Options) => string | null }

/** `ctl record`. */
export function addRecordCommands(program: Command, context: CtlContext): void {
  const record = program.command('record').description('Records: how one stands, take it down.')
  addAction(record, context, { name: 'show', effect: 'Show whether a record is taken down.' })
  addAction(record, context, {
    name: 'takedown',
    effect: 'Take a record down: what reads records hides it. In the repo it stays.',
    ref: ({ ref }) => ref ?? `ctl-${Date.now()}`,
  })
    .option('--ref <text>', 'what the takedown refers to, such as a case number')
    .option('--dry-run', 'only show the record')
  addAction(record, context, {
    name: 'restore',
    effect: 'Lift the takedown of a record.',
    ref: () => null,
  }).option('--dry-run', 'only show the record')
}

function addAction(record: Command, context: CtlContext, { name, effect, ref }: Action): Command {
  return record
    .command(name)
    .description(effect)
    .argument('<at-uri>', 'at://<did-or-handle>/<collection>/<rkey>', recordUri)
    .requiredOption('--host <hostname>', 'host that the account lives on')
    .action(async ({ authority, ...path }: Uri, options: Options, command: Command) => {
      const { pool } = context.db
      const account = await getAccount(context, { name: authority, host: options.host })
      const subject = { accountId: account.id, ...path }
      const isRead = ref === undefined || options.dryRun === true
      const found = isRead
        ? await findRecordTakedown(pool, subject)
        : await setRecordTakedown(pool, subject, ref(options))
      const uri = `at://${account.did}/${path.collection}/${path.rkey}`
      if (found === undefined) throw new RecordNotFoundError(`there is no record ${uri}`)
      if (!isRead) await audit(context, account, `record ${name}`, { uri, ref: found.takedown_ref })
      const { cid, takedown_ref } = found
      context.printOne(command, { uri, cid: cidToString(cid), takedown_ref })
    })
}

function recordUri(text: string): Uri {
  const { authority, collection, rkey } = parse(text)
  if (collection === undefined || rkey === undefined) throw malformed()
  return { authority, collection, rkey }
}

function parse(text: string): ReturnType<typeof parseAtUri> {
  try {
    return parseAtUri(text)
  } catch {
    throw malformed()
  }
}

function malformed(): InvalidArgumentError {
  return new InvalidArgumentError('expected at://<did-or-handle>/<collection>/<rkey>')
}
