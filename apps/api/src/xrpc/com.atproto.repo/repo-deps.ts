import type { RecordReader, RepoWriter } from '@rookery/records'
import type { IdentityResolver } from '@rookery/identity'
import type { TidClock } from '@rookery/syntax'
import type { HostDirectory } from '@rookery/tenants'

import type { AccessDeps } from '../../auth/access.ts'
import type { KnownWriters } from '../../auth/known-writers.ts'
import type { WriteLexiconDeps } from './write-lexicons.ts'
import type { ForwardDeps } from '../../proxy/forward.ts'

/** What writing the caller's own repo takes. */
export type OwnRepoDeps = Omit<AccessDeps, 'adminPassword'> & { knownWriters: KnownWriters }

/** What the methods that write records take. */
export type RepoWriteDeps = OwnRepoDeps &
  WriteLexiconDeps & {
    writer: RepoWriter
    /** Makes record keys. */
    clock: TidClock
  }

/** What the methods that read records take. */
export type RecordReadDeps = AccessDeps & { records: RecordReader }

/** What reading one record takes, wherever it is. */
export type GetRecordDeps = RecordReadDeps &
  Pick<ForwardDeps, 'upstream'> & { directory: Pick<HostDirectory, 'findTenant' | 'findHostById'> }

/** What describing a repo takes. */
export type DescribeRepoDeps = AccessDeps & { identities: Pick<IdentityResolver, 'resolveDid'> }

/**
 * Largest JSON input of a write, in bytes: what the data model allows for one value (SPEC DM-8). A record of the
 * largest size fits, whatever its JSON form adds.
 */
export const writeInputBytesMax = 2 * 1024 * 1024
