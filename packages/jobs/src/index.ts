export { type AddJobOptions, addJob } from './add-job.ts'
export {
  InvalidJobError,
  JobDeadError,
  JobLostError,
  JobNotFoundError,
  JobRefusedError,
  JobTimeoutError,
} from './errors.ts'
export { type JobRow, discardDeadJobs, listJobs, retryDeadJobs } from './operator.ts'
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
