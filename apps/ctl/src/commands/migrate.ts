import { migrate, migrationStatus } from '@rookery/db'
import type { Command } from 'commander'

import type { CtlContext } from '../context.ts'

/** `ctl migrate`. */
export function addMigrateCommand(program: Command, context: CtlContext): void {
  program
    .command('migrate')
    .description(
      'Bring the database schema up to this version. Safe to run twice, at once, and while pods serve.',
    )
    .option('--status', 'only list the migrations and when they were applied')
    .option('--dry-run', 'only list what would be applied')
    .action(async (options: { status?: boolean; dryRun?: boolean }, command: Command) => {
      const { pool } = context.db
      if (options.status === true || options.dryRun === true) {
        const all = await migrationStatus(pool)
        const shown = options.dryRun === true ? all.filter(({ appliedAt }) => appliedAt === undefined) : all
        const rows = shown.map(({ name, appliedAt }) => ({ name, applied: appliedAt }))
        context.print(command, { value: rows, rows })
        return
      }
      const applied = await migrate(pool)
      const text =
        applied.length === 0
          ? 'The schema is up to date.'
          : applied.map((name) => `applied ${name}`).join('\n')
      context.print(command, { value: { applied }, text })
    })
}
