import { rateOverrides } from '@rookery/config'
import { z } from 'zod'

/** What a tenant decides for itself; stored as JSON, every field with a default so that old rows stay valid. */
export const tenantSettings = z.object({
  /** Whether new accounts need an invite code. */
  inviteRequired: z.boolean().default(false),
  /** Milliseconds in which an account earns an invite code; null: none are earned. */
  inviteIntervalMs: z.number().int().positive().nullable().default(null),
  /** Codes are earned from this instant on, in milliseconds since the Unix epoch. */
  inviteEpochMs: z.number().int().nonnegative().default(0),
  contactEmail: z.email().nullable().default(null),
  termsOfServiceUrl: z.url().nullable().default(null),
  privacyPolicyUrl: z.url().nullable().default(null),
  /** AppView that requests go to without an atproto-proxy header. */
  appView: z
    .object({ did: z.string(), url: z.url(), cdnUrlPattern: z.string().optional() })
    .nullable()
    .default(null),
  /** Service that reports and ozone requests go to. */
  moderation: z.object({ did: z.string(), url: z.url() }).nullable().default(null),
  /** Rate limits of the tenant's accounts that differ from the host's. */
  rateLimits: rateOverrides.default({}),
})

/** A tenant's settings, complete. */
export type TenantSettings = z.output<typeof tenantSettings>

/** Changes to a tenant's settings. */
export type TenantSettingsInput = Partial<z.input<typeof tenantSettings>>
