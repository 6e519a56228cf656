import { type Queryable, statement } from '@rookery/db'

import { deltaBytesFloor, deltaPacksMax, largeBaseShare } from '../limits.ts'

/** A repo whose packs need compaction. */
export type GrownRepo = { hostId: number; tenantId: number; accountId: number }

// The bounds of compactionNeed for large repos. A repo that takes writes is compacted from there; this finds those that
// stopped taking any before their turn came.
const listGrown = statement<GrownRepo>(
  'repo_list_grown',
  `select repo.host_id as "hostId", account.tenant_id as "tenantId", repo.account_id as "accountId"
   from repo join account on account.id = repo.account_id
   where repo.delta_count > $1
     or repo.delta_bytes > greatest($2::bigint, repo.base_bytes * $4::integer)
   limit $3`,
)

/** Returns repos whose packs have outgrown their bounds, in no order. Reads every head: for a schedule only. */
export async function listGrownRepos(db: Queryable, limit: number): Promise<GrownRepo[]> {
  const { rows } = await listGrown(db, [deltaPacksMax, deltaBytesFloor, limit, largeBaseShare])
  return rows
}
