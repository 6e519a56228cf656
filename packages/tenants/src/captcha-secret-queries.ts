import type { Queryable } from '@rookery/db'

import { TenancyNotFoundError } from './errors.ts'

/** Whom a captcha's secret is wrapped for. */
export function captchaOwner({ id }: { id: number }): string {
  return `captcha ${id}`
}

/** Returns the wrapped secret with which the tenant's captchas are verified, or undefined. */
export async function findCaptchaSecret(db: Queryable, tenantId: number): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ captcha_secret: Buffer | null }>(
    'select captcha_secret from tenant where id = $1',
    [tenantId],
  )
  return rows[0]?.captcha_secret ?? undefined
}

/**
 * Stores the wrapped secret with which the tenant's captchas are verified; null removes it.
 *
 * @throws {TenancyNotFoundError} if there is no such tenant.
 */
export async function setCaptchaSecret(
  db: Queryable,
  tenantId: number,
  wrapped: Buffer | null,
): Promise<void> {
  const { rowCount } = await db.query('update tenant set captcha_secret = $2 where id = $1', [
    tenantId,
    wrapped,
  ])
  if (rowCount === 0) throw new TenancyNotFoundError(`there is no tenant ${tenantId}`)
}
