import {
  type JobRow,
  type QueueName,
  discardDeadJobs,
  listJobs,
  queueNames,
  retryDeadJobs,
} from '@rookery/jobs'
import { type Command, Option } from 'commander'

import type { CtlContext } from '../context.ts'
import { ids, wholeNumber } from '../parse.ts'

type ListOptions = { queue?: QueueName; state?: JobRow['state']; before?: number; limit: number }

/** `ctl jobs`. */
export function addJobsCommands(program: Command, context: CtlContext): void {
  const jobs = program
    .command('jobs')
    .description('Background jobs: what waits, what failed, what was given up.')
  addList(jobs, context)
  addRetry(jobs, context)
  addDiscard(jobs, context)
}

function queueOption(): Option {
  return new Option('--queue <name>', 'only of the queue').choices(queueNames)
}

function addList(jobs: Command, context: CtlContext): void {
  jobs
    .command('list')
    .description('List jobs, newest first. JSON has their payloads too: they name people.')
    .addOption(queueOption())
    .addOption(
      new Option('--state <state>', 'open: waits or runs; done: result is kept; dead: given up').choices([
        'open',
        'done',
        'dead',
      ]),
    )
    .option('--before <id>', 'only those older than the job', wholeNumber(1))
    .option('--limit <n>', 'at most so many', wholeNumber(1), 100)
    .action(async ({ before, ...filter }: ListOptions, command: Command) => {
      const page = before === undefined ? {} : { belowId: before }
      const found = await listJobs(context.db.pool, { ...filter, ...page })
      context.print(command, { value: found, rows: found.map(toRow) })
    })
}

function addRetry(jobs: Command, context: CtlContext): void {
  jobs
    .command('retry')
    .description('Give dead jobs all their attempts again.')
    .argument('[ids...]', 'ids of dead jobs', ids)
    .option('--all', 'every dead job, or every one of --queue')
    .addOption(queueOption())
    .option('--dry-run', 'only list them')
    .action(async (given: number[] | undefined, options: RetryOptions, command: Command) => {
      const chosen = given ?? []
      if (chosen.length > 0 === (options.all === true)) {
        command.error('error: give either ids or --all')
      }
      const queue = options.queue === undefined ? {} : { queue: options.queue }
      const filter = chosen.length > 0 ? { ...queue, ids: chosen } : queue
      if (options.dryRun === true) {
        const dead = await listJobs(context.db.pool, { ...queue, state: 'dead', limit: 1_000 })
        const would = dead.filter(({ id }) => chosen.length === 0 || chosen.includes(id))
        context.print(command, { value: { wouldRetry: would.map(({ id }) => id) }, rows: would.map(toRow) })
        return
      }
      const retried = await retryDeadJobs(context.db.pool, filter)
      await context.wake()
      context.print(command, { value: { retried }, text: `opened ${retried.length} job(s) again` })
    })
}

type RetryOptions = { all?: boolean; queue?: QueueName; dryRun?: boolean }

function addDiscard(jobs: Command, context: CtlContext): void {
  jobs
    .command('discard')
    .description('Delete dead jobs for good.')
    .argument('<ids...>', 'ids of dead jobs', ids)
    .option('--dry-run', 'only list them')
    .option('--yes', 'really')
    .action(async (chosen: number[], options: { dryRun?: boolean; yes?: boolean }, command: Command) => {
      if (options.dryRun === true) {
        const dead = await listJobs(context.db.pool, { state: 'dead', limit: 1_000 })
        const would = dead.filter(({ id }) => chosen.includes(id))
        context.print(command, { value: { wouldDiscard: would.map(({ id }) => id) }, rows: would.map(toRow) })
        return
      }
      if (options.yes !== true) command.error('error: --yes deletes them for good')
      await discardDeadJobs(context.db.pool, chosen)
      context.print(command, { value: { discarded: chosen }, text: `discarded ${chosen.length} job(s)` })
    })
}

function toRow(job: JobRow): Record<string, unknown> {
  return {
    id: job.id,
    queue: job.queue,
    state: job.state,
    attempts: job.attempts,
    due: job.state === 'open' ? job.run_at : null,
    running: job.locked_until !== null,
    created: job.created_at,
    progress: job.progress === null ? undefined : JSON.stringify(job.progress),
    error: job.error?.slice(0, 120),
  }
}
