import { InvalidConfigError, type Role, loadConfig } from '@rookery/config'
import { DomainError } from '@rookery/std'
import { Command, CommanderError } from 'commander'

import { addAccountCommands } from './commands/account.ts'
import { addBlobCommands } from './commands/blob.ts'
import { addArchiveCommands } from './commands/archive.ts'
import { addAuditCommand } from './commands/audit.ts'
import { addCompletionCommands } from './commands/completion.ts'
import { addCrawlCommand } from './commands/crawl.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addDomainCommands } from './commands/domain.ts'
import { addHostCommands } from './commands/host.ts'
import { addInviteCommands } from './commands/invite.ts'
import { addJobsCommands } from './commands/jobs.ts'
import { addKeysCommands } from './commands/keys.ts'
import { addMailCommands } from './commands/mail.ts'
import { addMigrateCommand } from './commands/migrate.ts'
import { addRecordCommands } from './commands/record.ts'
import { addRepoCommands } from './commands/repo.ts'
import { addSessionCommands } from './commands/session.ts'
import { addTenantCommands } from './commands/tenant.ts'
import { addUsageCommands } from './commands/usage.ts'
import { CtlContext, type CtlIo, exitCodes } from './context.ts'
import { commandReference as documentOf } from './document.ts'
import { addExamples } from './help.ts'

export { type CtlIo, exitCodes } from './context.ts'

/**
 * Runs the operator's command line and returns its exit code: 0 done, 1 failed, 2 called wrongly, 3 done and something
 * is not as it has to be. What was asked for goes to `out`, what went wrong to `err`. Never throws.
 *
 * @param argv the arguments, without those of Node.
 */
export async function runCtl(argv: readonly string[], io: CtlIo): Promise<number> {
  await using context = new CtlContext(io, (roles: readonly Role[]) => loadConfig(roles, io.env))
  try {
    await buildProgram(context).parseAsync(argv, { from: 'user' })
    return context.exitCode
  } catch (error) {
    // Commander has said what was wrong with the call.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    io.err(`ctl: ${explain(error)}\n`)
    return exitCodes.failed
  }
}

/** Returns the whole command line, not run yet. */
export function buildProgram(context: CtlContext): Command {
  const program = new Command('ctl')
    .description("The operator's command line of Rookery.")
    .option('--json', 'print JSON rather than tables')
    .showHelpAfterError('(--help shows how it is called)')
    .configureOutput({ writeOut: context.io.out, writeErr: context.io.err })
    .exitOverride()
  addMigrateCommand(program, context)
  addHostCommands(program, context)
  addTenantCommands(program, context)
  addDomainCommands(program, context)
  addAccountCommands(program, context)
  addSessionCommands(program, context)
  addRecordCommands(program, context)
  addBlobCommands(program, context)
  addUsageCommands(program, context)
  addInviteCommands(program, context)
  addKeysCommands(program, context)
  addDoctorCommand(program, context)
  addRepoCommands(program, context)
  addArchiveCommands(program, context)
  addAuditCommand(program, context)
  addJobsCommands(program, context)
  addMailCommands(program, context)
  addCrawlCommand(program, context)
  addCompletionCommands(program, context)
  addExamples(program)
  return program
}

/** Returns docs/ctl.md. */
export function commandReference(): string {
  const nowhere = { out: () => {}, err: () => {} }
  return documentOf(buildProgram(new CtlContext(nowhere, (roles) => loadConfig(roles, {}))))
}

function explain(error: unknown): string {
  if (error instanceof InvalidConfigError || error instanceof DomainError) return error.message
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : undefined
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') return 'the database does not answer: is it running?'
  if (code === '42P01') return 'the database has no schema yet: run `ctl migrate`'
  // pg gives an AggregateError without a message when every address refuses.
  return error.message === '' ? `${error.name} ${code ?? ''}` : error.message
}
