import { dayMs, hourMs, minuteMs, secondMs } from '@rookery/std'
import { z } from 'zod'

/** So many points may be taken within a window that begins with the first of them. */
export type RateLimit = {
  readonly points: number
  /** Whole seconds, in milliseconds. */
  readonly windowMs: number
}

/**
 * Every bucket of points with its default limit, the reference's where that has one (SPEC XR-10). `isExact` buckets
 * are counted in Redis before each answer, the others nearly so: see `RateCounters`.
 */
export const rateBuckets = {
  /** Every request, by address; exports have their own. */
  'global-ip': { points: 3_000, windowMs: 5 * minuteMs },
  'get-repo-ip': { points: 6_000, windowMs: 5 * minuteMs },
  /** Records written, by account: 3 points to create one, 2 to update, 1 to delete. */
  'repo-write-hour': { points: 5_000, windowMs: hourMs },
  'repo-write-day': { points: 35_000, windowMs: dayMs },
  'upload-blob-day': { points: 1_000, windowMs: dayMs },
  'import-repo-day': { points: 50, windowMs: dayMs, isExact: true },
  'service-auth': { points: 3_000, windowMs: 5 * minuteMs },
  /** Questions that may make the server ask others, by address. */
  'resolve-ip': { points: 1_500, windowMs: 5 * minuteMs },
  /** By what the certificate manager asks from; many names come from one address. */
  'tls-check-ip': { points: 6_000, windowMs: 5 * minuteMs },
  'create-account-ip': { points: 100, windowMs: 5 * minuteMs, isExact: true },
  'reserve-key-ip': { points: 100, windowMs: 5 * minuteMs, isExact: true },
  /** Attempts to sign in, by identifier and address. */
  'sign-in': { points: 30, windowMs: 5 * minuteMs, isExact: true },
  'sign-in-day': { points: 300, windowMs: dayMs, isExact: true },
  /** Attempts that failed, by address, whatever the identifier: nobody tries one password on every account. */
  'sign-in-failed-ip': { points: 100, windowMs: 5 * minuteMs, isExact: true },
  'sign-in-failed-ip-day': { points: 1_000, windowMs: dayMs, isExact: true },
  /** Wrong passwords of the operator, by address, on all hosts together: it is the same on each. */
  'operator-failed-ip': { points: 100, windowMs: 5 * minuteMs, isExact: true },
  'operator-failed-ip-day': { points: 1_000, windowMs: dayMs, isExact: true },
  /** Requests that apps push before somebody signs in, by address. */
  'oauth-push-ip': { points: 600, windowMs: 5 * minuteMs, isExact: true },
  /** Codes and tokens that were no good, by address. */
  'oauth-failed-ip': { points: 600, windowMs: 5 * minuteMs, isExact: true },
  /** Mailed codes that are tried, by account and address. */
  'mailed-code': { points: 30, windowMs: 5 * minuteMs, isExact: true },
  'delete-account-ip': { points: 50, windowMs: 5 * minuteMs, isExact: true },
  'delete-account': { points: 30, windowMs: 5 * minuteMs, isExact: true },
  'reset-password-ip': { points: 50, windowMs: 5 * minuteMs, isExact: true },
  'request-reset-ip': { points: 15, windowMs: hourMs, isExact: true },
  'request-reset-ip-day': { points: 50, windowMs: dayMs, isExact: true },
  /** By e-mail address: nobody's mailbox is filled from many addresses. */
  'request-reset': { points: 15, windowMs: hourMs, isExact: true },
  'request-reset-day': { points: 50, windowMs: dayMs, isExact: true },
  /** Mails that an account asks for, each kind by itself. */
  'request-mail': { points: 5, windowMs: hourMs, isExact: true },
  'request-mail-day': { points: 15, windowMs: dayMs, isExact: true },
  /** Archives that an account asks for. */
  'export-day': { points: 5, windowMs: dayMs, isExact: true },
  'update-handle': { points: 10, windowMs: 5 * minuteMs, isExact: true },
  'update-handle-day': { points: 50, windowMs: dayMs, isExact: true },
} as const satisfies Record<string, RateLimit & { isExact?: true }>

/** The name of a bucket. */
export type RateBucket = keyof typeof rateBuckets

/**
 * Limits that stand in for the defaults: of a bucket by its name, of one key of it by `<bucket>@<key>`; null lifts
 * the limit.
 */
export type RateOverrides = Readonly<Record<string, RateLimit | null>>

/** Most overrides in one place. */
const rateOverridesMax = 200
const pointsMax = 1_000_000_000
const windowMsMax = 31 * dayMs

const names = Object.keys(rateBuckets).join(', ')
const rateLimit = z.object({
  points: z.int().min(0).max(pointsMax),
  windowMs: z.int().min(secondMs).max(windowMsMax).multipleOf(secondMs),
})

/** Overrides as they are stored. A name may be a bucket's of another version, so all are taken. */
export const rateOverrides = z
  .record(z.string(), rateLimit.nullable())
  .refine((overrides) => Object.keys(overrides).length <= rateOverridesMax, 'too many rate limits')

/** Overrides as text: `<bucket>[@<key>]=<points>/<seconds>` or `=off`, separated by commas. */
export const rateOverridesText: z.ZodType<RateOverrides> = z
  .string()
  .transform((text, context) => {
    const entries = text.split(',').filter((entry) => entry.trim() !== '')
    return Object.fromEntries(
      entries.map((entry) => {
        const [, name = '', limit, points, seconds] = /^\s*(.+)=((\d+)\/(\d+)|off)\s*$/.exec(entry) ?? []
        if (limit === undefined) {
          context.addIssue(`expected <bucket>=<points>/<seconds> or <bucket>=off, not ${entry.trim()}`)
        } else if (!isBucketOrKey(name)) {
          context.addIssue(`expected one of the buckets ${names}, or <bucket>@<key>, not ${name}`)
        }
        return [
          name,
          limit === 'off' ? null : { points: Number(points), windowMs: Number(seconds) * secondMs },
        ]
      }),
    )
  })
  .pipe(rateOverrides)

function isBucketOrKey(name: string): boolean {
  const [bucket = '', ...key] = name.split('@')
  return Object.hasOwn(rateBuckets, bucket) && key.every((part) => part !== '')
}

/**
 * Returns the limit of a key: the first that the scopes, narrowest first, name for the key itself, otherwise for its
 * bucket, otherwise the default; null if there is none.
 */
export function rateLimitOf(
  scopes: readonly (RateOverrides | undefined)[],
  bucket: RateBucket,
  key: string,
): RateLimit | null {
  for (const name of [`${bucket}@${key}`, bucket]) {
    for (const scope of scopes) {
      const limit = scope?.[name]
      if (limit !== undefined) return limit
    }
  }
  return rateBuckets[bucket]
}
