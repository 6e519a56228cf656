import { rateOverrides } from '@rookery/config'
import { dayMs, hourMs, minuteMs } from '@rookery/std'
import { z } from 'zod'

/** A media type in lower case, `image/*`, or any type. */
const mimePattern = z.string().regex(/^(\*\/\*|[a-z0-9][a-z0-9!#$&^_.+-]*\/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*))$/)

/** Patterns of types that a tenant may list, each way. */
const mimePatternsMax = 100

/** Languages that accounts are written to in. */
export const locales = ['en', 'de', 'fr', 'es', 'ja'] as const

/** A language that accounts are written to in. */
export type Locale = (typeof locales)[number]

/** A domain in lower case. */
const emailDomain = z.string().regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/, 'expected a domain')
const emailDomainsMax = 100

const webUrl = z.url({ protocol: /^https?$/ })
/** One line: it goes into headers of mail. */
const line = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'expected one line')
/** A time in milliseconds. */
const time = (min: number, max: number) => z.number().int().min(min).max(max)

const service = z.object({ did: z.string().startsWith('did:'), url: z.url({ protocol: /^https?$/ }) })
/** Most words of one kind that a tenant adds to the rules of its handles. */
const handleWordsMax = 1_000

/** A label of a handle, or a part of one. */
const handleWord = z
  .string()
  .toLowerCase()
  .regex(/^[a-z0-9-]{2,63}$/, 'must be of the letters a to z, digits and hyphens')

/** What a tenant decides for itself; stored as JSON, every field with a default so that old rows stay valid. */
export const tenantSettings = z.object({
  /** Whether nobody may make an account, or bring one along: neither apps nor pages offer it. */
  signUpClosed: z.boolean().default(false),
  /** Domains that e-mail addresses of accounts must be of; empty: any. */
  emailDomains: z.array(emailDomain).max(emailDomainsMax).default([]),
  /** Whether new accounts need an invite code. */
  inviteRequired: z.boolean().default(false),
  /** Milliseconds in which an account earns an invite code; null: none are earned. */
  inviteIntervalMs: z.number().int().positive().nullable().default(null),
  /** Codes are earned from this instant on, in milliseconds since the Unix epoch. */
  inviteEpochMs: z.number().int().nonnegative().default(0),
  /** First labels that nobody gets under the tenant's handle domains, besides those that nobody ever gets. */
  reservedHandles: z.array(handleWord).max(handleWordsMax).default([]),
  /** Words that no handle of the tenant's accounts may hold, besides those that none ever may. */
  offensiveWords: z.array(handleWord).max(handleWordsMax).default([]),
  contactEmail: z.email().nullable().default(null),
  termsOfServiceUrl: z.url().nullable().default(null),
  privacyPolicyUrl: z.url().nullable().default(null),
  /** What becomes of records whose lexicon is not bundled: see `LexiconPolicy`. */
  lexiconResolution: z.enum(['off', 'validate', 'require']).default('off'),
  /**
   * AppView that requests go to without an atproto-proxy header. The pattern of its images' URLs has a `%s` each for
   * the variant, the DID and the CID.
   */
  appView: service.extend({ cdnUrlPattern: z.string().optional() }).nullable().default(null),
  /** Service that chat.bsky requests go to; without one, the AppView. */
  chat: service.nullable().default(null),
  /** Service that ozone requests go to, and reports if `report` is not set. */
  moderation: service.nullable().default(null),
  /** Service that reports go to; without one, the moderation service. */
  report: service.nullable().default(null),
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
  /** Whether accounts without a second factor of their own are asked for a code by mail when they sign in. */
  secondFactor: z.enum(['optional', 'required']).default('optional'),
  /** Whether app passwords may be made and used. */
  appPasswords: z.boolean().default(true),
  /** Site key of the hCaptcha that whoever signs up solves; null: none. Its secret is stored apart, wrapped. */
  captchaSiteKey: line.nullable().default(null),
  /** Risk from which on hCaptcha's scores are refused, from 0 to 1, where it tells them; null: none is refused. */
  captchaScoreMax: z.number().min(0).max(1).nullable().default(null),
  /** How long a browser stays signed in after its owner proved to be there, in milliseconds. */
  browserSessionMs: time(15 * minuteMs, 731 * dayMs).default(7 * dayMs),
  /** How long no second factor is asked for in a browser that its owner trusts, in milliseconds; 0: none is trusted. */
  trustedBrowserMs: time(0, 366 * dayMs).default(30 * dayMs),
  /** How long an app's session lasts if the app cannot keep a secret, and how long it may rest (SPEC OA-25). */
  oauthPublicSessionMs: time(hourMs, 14 * dayMs).default(14 * dayMs),
  oauthPublicRefreshMs: time(hourMs, 14 * dayMs).default(14 * dayMs),
  /** The same for apps that prove with a key who they are: a session, and how long it may rest. */
  oauthConfidentialSessionMs: time(hourMs, 730 * dayMs).default(730 * dayMs),
  oauthConfidentialRefreshMs: time(hourMs, 91 * dayMs).default(91 * dayMs),
  /** How long a session that began with a password may rest, in milliseconds; null: as long as the cluster lets it. */
  passwordSessionMs: time(hourMs, 366 * dayMs)
    .nullable()
    .default(null),
  /** Logo, a PNG or JPEG. Everybody is shown the same URL: it tells nobody who opened what. */
  logoUrl: webUrl.nullable().default(null),
  /** `#rrggbb`. Text on it and in it is kept readable, whatever it is. */
  brandColor: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, 'expected a colour such as #2b4c7e')
    .nullable()
    .default(null),
  /** Where people find help. */
  supportUrl: webUrl.nullable().default(null),
  /** Language for who asked for none that there is. */
  defaultLocale: z.enum(locales).default('en'),
  /** Address that mail comes from; null: the cluster's. */
  mailFrom: z.email().nullable().default(null),
  /** Name that mail comes from; null: the tenant's. */
  mailFromName: line.nullable().default(null),
  /** Address that answers go to; null: where the mail came from. */
  mailReplyTo: z.email().nullable().default(null),
  /** Address that moderators' mail comes from; null: the cluster's for that. */
  mailModerationFrom: z.email().nullable().default(null),
  /** Last words of every mail, such as a postal address. */
  mailFooter: z.string().trim().min(1).max(500).nullable().default(null),
  /** Most mails to one address within an hour. */
  mailsPerRecipientHourMax: z.number().int().positive().default(10),
  /** Most mails for all of the tenant's accounts within an hour. */
  mailsPerTenantHourMax: z.number().int().positive().default(5_000),
})

/** A tenant's settings, complete. */
export type TenantSettings = z.output<typeof tenantSettings>

/** Changes to a tenant's settings. */
export type TenantSettingsInput = Partial<z.input<typeof tenantSettings>>
