export { type AddJobOptions, addJob, joinJob } from './add-job.ts'
export {
  InvalidJobError,
  JobDeadError,
  JobLostError,
  JobNotFoundError,
  JobRefusedError,
  JobTimeoutError,
} from './errors.ts'
export type { JobProcessor, JobProcessors, RunningJob } from './job-processor.ts'
export { JobRelay, type JobRelayOptions } from './job-relay.ts'
export { JobRunner, type JobRunnerOptions } from './job-runner.ts'
export { JobSchedules, type Period, type Schedule, claimPeriod } from './job-schedules.ts'
export {
  type JobRow,
  discardDeadJobs,
  dropOldResults,
  listJobs,
  listJobsOf,
  retryDeadJobs,
} from './operator.ts'
export {
  type JobPayload,
  type QueueDefinition,
  type QueueName,
  isQueueName,
  queueNames,
  queues,
} from './queues.ts'
export { waitForJob } from './wait-for-job.ts'
export { wakeJobs } from './wake-jobs.ts'
