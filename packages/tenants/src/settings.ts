import { rateOverrides } from '@rookery/config'
import { z } from 'zod'

/** A media type in lower case, `image/*`, or any type. */
const mimePattern = z.string().regex(/^(\*\/\*|[a-z0-9][a-z0-9!#$&^_.+-]*\/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*))$/)

/** Patterns of types that a tenant may list, each way. */
const mimePatternsMax = 100

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
  /** Largest blob, in bytes; null: as large as the cluster takes, which bounds it anyway. */
  blobBytesMax: z.number().int().positive().nullable().default(null),
  /** Types of blobs that are taken. */
  blobTypes: z.array(mimePattern).max(mimePatternsMax).default(['*/*']),
  /** Types of blobs that are refused though they are among those. */
  blobTypesRefused: z.array(mimePattern).max(mimePatternsMax).default([]),
  /** What becomes of pictures and videos that tell where they were recorded. */
  blobLocation: z.enum(['allow', 'reject', 'strip']).default('allow'),
  /** Bytes of blobs that each account may have; null: any number. */
  accountBlobBytesMax: z.number().int().nonnegative().nullable().default(null),
  /** Bytes of blobs that all accounts may have together; null: any number. */
  tenantBlobBytesMax: z.number().int().nonnegative().nullable().default(null),
})

/** A tenant's settings, complete. */
export type TenantSettings = z.output<typeof tenantSettings>

/** Changes to a tenant's settings. */
export type TenantSettingsInput = Partial<z.input<typeof tenantSettings>>
