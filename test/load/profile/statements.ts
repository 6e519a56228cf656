import { queryRows } from '../systems/database.ts'

/** What PostgreSQL says of one statement since the counters were reset. Times in milliseconds. */
export type StatementUse = {
  query: string
  /** False for a statement within a function. */
  toplevel: boolean
  calls: number
  ms: number
  rows: number
  /** Pages of 8 KiB found in memory, read from elsewhere, and changed. */
  hit: number
  read: number
  dirtied: number
  walBytes: number
}

/** Sets the counters of all statements to zero. */
export async function resetStatements(databaseUrl: string): Promise<void> {
  await queryRows(databaseUrl, 'create extension if not exists pg_stat_statements')
  await queryRows(databaseUrl, 'select pg_stat_statements_reset()')
}

/** All statements since the reset, those that took most time first. */
export function statementUses(databaseUrl: string): Promise<StatementUse[]> {
  return queryRows<StatementUse>(
    databaseUrl,
    `select query, toplevel, sum(calls)::float8 as calls, sum(total_exec_time) as ms, sum(rows)::float8 as rows,
            sum(shared_blks_hit)::float8 as hit, sum(shared_blks_read)::float8 as read,
            sum(shared_blks_dirtied)::float8 as dirtied, sum(wal_bytes)::float8 as "walBytes"
       from pg_stat_statements s
       join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and query not like '%pg_stat_statements%'
      group by query, toplevel
      order by ms desc`,
  )
}
