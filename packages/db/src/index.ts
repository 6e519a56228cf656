export { CopyRows } from './copy-format.ts'
export { CopyOut } from './copy-out.ts'
export { copyIn, copyOut } from './copy-queries.ts'
export {
  type Connection,
  Database,
  type DatabaseOptions,
  type Db,
  type Queryable,
  type Tx,
  connectTimeoutMs,
  statementTimeoutMs,
} from './database.ts'
export { GroupRead } from './group-read.ts'
export {
  type MigrationStatus,
  type Migrations,
  type SchemaMigration,
  isSchemaReady,
  migrate,
  migrationStatus,
} from './migrate.ts'
export { migrations } from './migrations/index.ts'
export type { EmailTokenPurpose } from './schema/account.ts'
export type { AccountExportState } from './schema/export.ts'
export type { AccountMoveState } from './schema/move.ts'
export type { EventKind } from './schema/event.ts'
export type { JobState } from './schema/job.ts'
export type { MailDeliveryState } from './schema/mail.ts'
export type { Schema } from './schema/index.ts'
export type { BlobState } from './schema/blob.ts'
export type { AccountStatus } from './schema/repo.ts'
export { statement } from './statement.ts'
export { inTransaction } from './transaction.ts'
export { waitForSchema } from './wait-for-schema.ts'
