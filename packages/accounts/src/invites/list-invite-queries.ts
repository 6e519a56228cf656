import type { Queryable } from '@rookery/db'

import { inviteCodesShownMax, inviteUsesShownMax } from '../limits.ts'

/** An invite code with its uses, the latest first. */
export type InviteCode = {
  code: string
  /** Sign-ups that it is good for altogether. */
  available: number
  disabled: boolean
  /** DID that it is for, `admin`, or `deleted`. */
  for_account: string
  /** DID of who made it, `admin`, or `deleted`. */
  created_by: string
  created_at: Date
  /** At most `inviteUsesShownMax`. */
  uses: { used_by: string; used_at: Date }[]
}

/** A page of a host's invite codes. */
export type InviteCodePage = {
  hostId: number
  /** Only those of the tenants; undefined for all. */
  tenantIds: readonly number[] | undefined
  /** `recent`: the newest first; `usage`: the most used first. */
  sort: 'recent' | 'usage'
  /** What `listInviteCodes` returned with the page before. */
  after: { position: string; code: string } | undefined
  limit: number
}

type Row = Omit<InviteCode, 'uses'> & { uses: { used_by: string; used_at: string }[]; position: string }

const useCount = `(select count(*) from invite_code_use u where u.host_id = i.host_id and u.code = i.code)`
const createdMicros = `(extract(epoch from i.created_at) * 1000000)::bigint`

const columns = `i.code, (i.available_uses + ${useCount})::integer as available, i.disabled, i.for_account, i.created_by,
  i.created_at, coalesce((select json_agg(json_build_object('used_by', u.used_by, 'used_at', u.used_at))
    from (select used_by, used_at from invite_code_use u where u.host_id = i.host_id and u.code = i.code
          order by used_at desc, used_by limit ${inviteUsesShownMax}) u), '[]') as uses`

// The newest are found by an index; who used a code most has to be counted.
const positions = {
  recent: {
    of: createdMicros,
    after: `(i.created_at, i.code) < ('epoch'::timestamptz + $3 * interval '1 microsecond', $4)`,
  },
  usage: { of: useCount, after: `(${useCount}, i.code) < ($3::bigint, $4)` },
}
const order = { recent: 'i.created_at desc, i.code desc', usage: `${useCount} desc, i.code desc` }

/** Returns a page of the host's invite codes, and where the next one starts; undefined after the last. */
export async function listInviteCodes(
  db: Queryable,
  page: InviteCodePage,
): Promise<{ codes: InviteCode[]; next: InviteCodePage['after'] }> {
  const { hostId, tenantIds, sort, after, limit } = page
  const { rows } = await db.query<Row>(
    `select ${columns}, ${positions[sort].of}::text as position from invite_code i
      where i.host_id = $1 and ($2::integer[] is null or i.tenant_id = any($2))
        and ($3::bigint is null or ${positions[sort].after})
      order by ${order[sort]} limit $5`,
    [hostId, tenantIds ?? null, after?.position ?? null, after?.code ?? null, limit],
  )
  const last = rows.length < limit ? undefined : rows.at(-1)
  return { codes: rows.map(toInviteCode), next: last && { position: last.position, code: last.code } }
}

/** Returns the codes that are for the host's accounts of these DIDs, the newest first, at most `inviteCodesShownMax`. */
export async function listInviteCodesFor(
  db: Queryable,
  hostId: number,
  dids: readonly string[],
): Promise<InviteCode[]> {
  const { rows } = await db.query<Row>(
    `select ${columns} from invite_code i where i.host_id = $1 and i.for_account = any($2)
      order by i.created_at desc, i.code desc limit $3`,
    [hostId, dids, inviteCodesShownMax],
  )
  return rows.map(toInviteCode)
}

/** Returns by which codes the host's accounts of these DIDs signed up, by DID. */
export async function findInvitesOf(
  db: Queryable,
  hostId: number,
  dids: readonly string[],
): Promise<Map<string, InviteCode>> {
  const { rows } = await db.query<Row & { invited: string }>(
    `select ${columns}, used.used_by as invited
       from invite_code_use used join invite_code i on i.host_id = used.host_id and i.code = used.code
      where used.host_id = $1 and used.used_by = any($2) order by used.used_at`,
    [hostId, dids],
  )
  return new Map(rows.map((row) => [row.invited, toInviteCode(row)]))
}

function toInviteCode({
  code,
  available,
  disabled,
  for_account,
  created_by,
  created_at,
  uses,
}: Row): InviteCode {
  return {
    code,
    available,
    disabled,
    for_account,
    created_by,
    created_at,
    uses: uses.map(({ used_by, used_at }) => ({ used_by, used_at: new Date(used_at) })),
  }
}
