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

/** Bytes of each table with its indexes; the partitions of a table are counted together. */
export async function tableBytes(url: string): Promise<Record<string, number>> {
  const rows = await queryRows<{ name: string; bytes: string }>(
    url,
    `select coalesce(pg_partition_root(c.oid), c.oid)::regclass::text as name,
            sum(pg_total_relation_size(c.oid)) as bytes
       from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      group by 1
      order by 2 desc`,
  )
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, Number(bytes)]))
}
