import { queryRows } from './database.ts'

/** Where the server keeps its data. */
export async function dataDirectory(url: string): Promise<string> {
  const [row] = await queryRows<{ data_directory: string }>(url, 'show data_directory')
  return row?.data_directory ?? ''
}

/** Bytes of the whole database. */
export async function databaseBytes(url: string): Promise<number> {
  const [row] = await queryRows<{ bytes: string }>(
    url,
    'select pg_database_size(current_database()) as bytes',
  )
  return Number(row?.bytes)
}

/** Bytes of one table with all its partitions: rows, indexes, and what is kept beside the rows (TOAST). */
export type TableSize = { name: string; heap: number; indexes: number; toast: number }

/** The size of every table, the largest first. */
export async function tableSizes(url: string): Promise<TableSize[]> {
  return queryRows<TableSize>(
    url,
    `select coalesce(pg_partition_root(c.oid), c.oid)::regclass::text as name,
            sum(pg_relation_size(c.oid))::float8 as heap,
            sum(pg_indexes_size(c.oid))::float8 as indexes,
            sum(pg_table_size(c.oid) - pg_relation_size(c.oid))::float8 as toast
       from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      group by 1
      order by sum(pg_total_relation_size(c.oid)) desc`,
  )
}

/** How a table fares under writes. */
export type TableHealth = {
  name: string
  bytes: number
  live: number
  dead: number
  /** Times that autovacuum has cleaned it, over all partitions. */
  vacuums: number
  /** Rows changed in place, as a share of all changes of rows; null where none was changed. */
  hotUpdateShare: number | null
}

/** Every table that has had rows, the largest first; the partitions of a table count together. */
export function tableHealth(url: string): Promise<TableHealth[]> {
  return queryRows<TableHealth>(
    url,
    `select coalesce(pg_partition_root(s.relid), s.relid)::regclass::text as name,
            sum(pg_total_relation_size(s.relid))::float8 as bytes,
            sum(s.n_live_tup)::float8 as live, sum(s.n_dead_tup)::float8 as dead,
            sum(s.autovacuum_count)::float8 as vacuums,
            sum(s.n_tup_hot_upd)::float8 / nullif(sum(s.n_tup_upd), 0)::float8 as "hotUpdateShare"
       from pg_stat_user_tables s
      group by 1
     having sum(s.n_tup_ins) > 0
      order by bytes desc`,
  )
}

/** How many events wait for their number. */
export async function queuedEvents(url: string): Promise<number> {
  const [row] = await queryRows<{ n: number }>(url, 'select count(*)::float8 as n from event_queue')
  return row?.n ?? 0
}

/** What waits to be done. */
export type Backlog = {
  queuedEvents: number
  openJobs: number
  packsPerRepo: number
  packsOfLargest: number
}

/** What waits to be done now. */
export async function backlog(url: string): Promise<Backlog> {
  const [row] = await queryRows<Backlog>(
    url,
    `select (select count(*) from event_queue)::float8 as "queuedEvents",
            (select count(*) from job_outbox where state = 'open')::float8 as "openJobs",
            coalesce(avg(n), 0)::float8 as "packsPerRepo", coalesce(max(n), 0)::float8 as "packsOfLargest"
       from (select count(*) as n from pack group by account_id) as repo`,
  )
  return row ?? { queuedEvents: 0, openJobs: 0, packsPerRepo: 0, packsOfLargest: 0 }
}
