import type { Queryable } from '@rookery/db'

/** What holds wrapped secrets: columns by name, and whom each secret belongs to. */
export type WrappedColumn = {
  /** What people call it. */
  readonly name: string
  readonly table: string
  readonly column: string
  /** Unique in the table; what follows the last one is still to be looked at. */
  readonly key: string
  /** SQL of the text that the secret is bound to. */
  readonly owner: string
  /** SQL of the did:key that belongs to the secret; null if it is no key. */
  readonly didKey: string
}

const ofAccount = '(select a.did from account a where a.id = t.account_id)'

/** Every column that holds wrapped secrets. */
export const wrappedColumns: readonly WrappedColumn[] = [
  {
    name: 'signing keys',
    table: 'signing_key',
    column: 'wrapped',
    key: 't.account_id',
    owner: ofAccount,
    didKey: 't.did_key',
  },
  {
    name: 'next signing keys',
    table: 'signing_key',
    column: 'next_wrapped',
    key: 't.account_id',
    owner: ofAccount,
    didKey: 't.next_did_key',
  },
  {
    name: 'reserved keys',
    table: 'reserved_signing_key',
    column: 'wrapped',
    key: `t.host_id || ' ' || t.did_key`,
    owner: `'reserved ' || t.did_key`,
    didKey: 't.did_key',
  },
  {
    name: 'authenticator secrets',
    table: 'totp',
    column: 'wrapped',
    key: 't.account_id',
    owner: `(select 'totp ' || a.did from account a where a.id = t.account_id)`,
    didKey: 'null::text',
  },
  {
    name: 'sessions with old servers',
    table: 'account_move',
    column: 'wrapped',
    key: 't.account_id',
    owner: `(select 'move ' || a.did from account a where a.id = t.account_id)`,
    didKey: 'null::text',
  },
  {
    name: 'captcha secrets',
    table: 'tenant',
    column: 'captcha_secret',
    key: 't.id',
    owner: `'captcha ' || t.id`,
    didKey: 'null::text',
  },
]

/** A wrapped secret; `owner` is null if it belongs to an account that is gone. */
export type WrappedSecret = { key: string; owner: string | null; did_key: string | null; wrapped: Buffer }

// The envelope's version is its first byte, the id of the wrapping key the eight that follow.
const keyId = (column: string): string => `encode(substring(t.${column} from 2 for 8), 'hex')`

/** Returns how many secrets of the column are wrapped under which key. */
export async function countByWrappingKey(
  db: Queryable,
  { table, column }: WrappedColumn,
): Promise<{ key_id: string; count: number }[]> {
  const { rows } = await db.query<{ key_id: string; count: number }>(
    `select ${keyId(column)} as key_id, count(*) from ${table} t where ${column} is not null group by 1 order by 1`,
  )
  return rows
}

/** Returns secrets of the column that another key than this one wraps, above a key in the order of texts. */
export async function listOtherwiseWrapped(
  db: Queryable,
  of: WrappedColumn,
  page: { currentKeyId: string; above: string; limit: number },
): Promise<WrappedSecret[]> {
  const { table, column, key, owner, didKey } = of
  const { rows } = await db.query<WrappedSecret>(
    `select (${key})::text collate "C" as key, ${owner} as owner, ${didKey} as did_key, t.${column} as wrapped
       from ${table} t
      where t.${column} is not null and ${keyId(column)} <> $1 and (${key})::text collate "C" > $2
      order by 1 limit $3`,
    [page.currentKeyId, page.above, page.limit],
  )
  return rows
}

/** Puts envelopes in the place of others; one that has changed meanwhile stays. Returns how many it replaced. */
export async function replaceWrapped(
  db: Queryable,
  { table, column, key }: WrappedColumn,
  pairs: readonly { key: string; before: Buffer; after: Buffer }[],
): Promise<number> {
  const { rowCount } = await db.query(
    `update ${table} t set ${column} = i.after
       from unnest($1::text[], $2::bytea[], $3::bytea[]) as i(key, before, after)
      where (${key})::text = i.key and t.${column} = i.before`,
    [pairs.map((pair) => pair.key), pairs.map(({ before }) => before), pairs.map(({ after }) => after)],
  )
  return rowCount ?? 0
}
