import { type TenantSettings, type TenantSettingsInput, locales } from '@rookery/tenants'
import type { Command } from 'commander'

import {
  appView,
  commaSeparated,
  fraction,
  none,
  onOff,
  orNone,
  rateLimits,
  service,
  time,
  wholeNumber,
} from './parse.ts'

type SettingOption = { flags: string; description: string; parse: (text: string) => unknown }

const asText = (text: string): string => text

/** Replaces the rate limits that a tenant or a host has of its own. */
export const rateLimitsOption = {
  flags: '--rate-limits <bucket=points/seconds,…>',
  description: 'rate limits of its own, `<bucket>=off` for none; empty for the default ones',
  parse: rateLimits,
}

/** The option of every tenant setting. */
const settingOptions: { [K in keyof TenantSettings]: SettingOption } = {
  signUpClosed: {
    flags: '--sign-up-closed <on|off>',
    description: 'whether nobody may make an account or bring one along',
    parse: onOff,
  },
  emailDomains: {
    flags: '--email-domains <domains>',
    description: 'domains that e-mail addresses of accounts must be of; empty: any',
    parse: commaSeparated,
  },
  inviteRequired: {
    flags: '--invites <on|off>',
    description: 'whether a new account needs an invite code',
    parse: onOff,
  },
  inviteIntervalMs: {
    flags: '--invite-interval-ms <n|none>',
    description: 'milliseconds in which an account earns an invite code; none: none are earned',
    parse: orNone(wholeNumber(1)),
  },
  inviteEpochMs: {
    flags: '--invite-epoch <ms>',
    description: 'instant from which codes are earned, in milliseconds since 1970',
    parse: wholeNumber(0),
  },
  reservedHandles: {
    flags: '--reserved-handles <label,…>',
    description:
      'first labels that nobody gets under its domains, besides those that nobody ever gets; empty: none',
    parse: commaSeparated,
  },
  offensiveWords: {
    flags: '--offensive-words <word,…>',
    description:
      'words that no handle of its accounts may hold, besides those that none ever may; empty: none',
    parse: commaSeparated,
  },
  contactEmail: {
    flags: '--contact-email <address|none>',
    description: 'address that describeServer names',
    parse: orNone(asText),
  },
  termsOfServiceUrl: {
    flags: '--terms-url <url|none>',
    description: 'terms of service',
    parse: orNone(asText),
  },
  privacyPolicyUrl: {
    flags: '--privacy-url <url|none>',
    description: 'privacy policy',
    parse: orNone(asText),
  },
  lexiconResolution: {
    flags: '--lexicon-resolution <off|validate|require>',
    description: 'whether lexicons that are not bundled are looked up for records, and needed',
    parse: asText,
  },
  appView: {
    flags: '--appview <did,url[,cdn-pattern]|none>',
    description: 'service that answers what the PDS does not',
    parse: orNone(appView),
  },
  chat: {
    flags: '--chat <did,url|none>',
    description: 'service that chat goes to; none: the AppView',
    parse: orNone(service),
  },
  moderation: {
    flags: '--moderation <did,url|none>',
    description: 'service that moderators use, and that reports go to unless --report names another',
    parse: orNone(service),
  },
  report: {
    flags: '--report <did,url|none>',
    description: 'service that reports go to; none: the moderation service',
    parse: orNone(service),
  },
  rateLimits: rateLimitsOption,
  blobBytesMax: {
    flags: '--blob-bytes-max <n|none>',
    description: 'largest blob in bytes; none: as large as the cluster takes',
    parse: orNone(wholeNumber(1)),
  },
  blobTypes: {
    flags: '--blob-types <types>',
    description: 'types of blobs that are taken, such as image/*,video/mp4; */* is all',
    parse: commaSeparated,
  },
  blobTypesRefused: {
    flags: '--blob-types-refused <types>',
    description: 'types of blobs that are refused all the same; empty: none',
    parse: commaSeparated,
  },
  blobLocation: {
    flags: '--blob-location <allow|reject|strip>',
    description: 'what becomes of pictures and videos that tell where they were recorded',
    parse: asText,
  },
  accountBlobBytesMax: {
    flags: '--account-blob-bytes-max <n|none>',
    description: 'bytes of blobs that each account may have',
    parse: orNone(wholeNumber(0)),
  },
  tenantBlobBytesMax: {
    flags: '--tenant-blob-bytes-max <n|none>',
    description: 'bytes of blobs that all accounts may have together',
    parse: orNone(wholeNumber(0)),
  },
  secondFactor: {
    flags: '--second-factor <optional|required>',
    description: 'required: accounts without one of their own are asked for a code by mail',
    parse: asText,
  },
  appPasswords: {
    flags: '--app-passwords <on|off>',
    description: 'whether app passwords may be made and used',
    parse: onOff,
  },
  captchaSiteKey: {
    flags: '--captcha-site-key <key|none>',
    description: 'hCaptcha that whoever signs up solves; its secret is given by `ctl tenant captcha-secret`',
    parse: orNone(asText),
  },
  captchaScoreMax: {
    flags: '--captcha-score-max <0..1|none>',
    description: 'risk from which on hCaptcha scores are refused, where it tells them',
    parse: orNone(fraction),
  },
  browserSessionMs: {
    flags: '--browser-session <time>',
    description: 'how long a browser stays signed in, such as 12h or 7d',
    parse: time,
  },
  trustedBrowserMs: {
    flags: '--trusted-browser <time>',
    description:
      'how long no second factor is asked for in a browser that its owner trusts; 0d: none is trusted',
    parse: time,
  },
  oauthPublicSessionMs: {
    flags: '--oauth-public-session <time>',
    description: 'how long a session of an app without a key of its own lasts; at most 14d',
    parse: time,
  },
  oauthPublicRefreshMs: {
    flags: '--oauth-public-refresh <time>',
    description: 'how long such a session may rest; at most 14d',
    parse: time,
  },
  oauthConfidentialSessionMs: {
    flags: '--oauth-confidential-session <time>',
    description: 'how long a session of an app with a key of its own lasts; at most 730d',
    parse: time,
  },
  oauthConfidentialRefreshMs: {
    flags: '--oauth-confidential-refresh <time>',
    description: 'how long such a session may rest; at most 91d',
    parse: time,
  },
  passwordSessionMs: {
    flags: '--password-session <time|none>',
    description: "how long a session that began with a password may rest; none: the cluster's",
    parse: orNone(time),
  },
  logoUrl: {
    flags: '--logo-url <url|none>',
    description: 'logo (PNG or JPEG) in mail and on pages',
    parse: orNone(asText),
  },
  brandColor: {
    flags: '--brand-color <#rrggbb|none>',
    description: 'colour of mail and pages; kept readable',
    parse: orNone(asText),
  },
  supportUrl: {
    flags: '--support-url <url|none>',
    description: 'page where people find help',
    parse: orNone(asText),
  },
  defaultLocale: {
    flags: '--default-locale <locale>',
    description: `language for who asked for none that there is: ${locales.join(', ')}`,
    parse: asText,
  },
  mailFrom: {
    flags: '--mail-from <address|none>',
    description: "address that mail comes from; none: the cluster's",
    parse: orNone(asText),
  },
  mailFromName: {
    flags: '--mail-from-name <name|none>',
    description: "name that mail comes from; none: the tenant's",
    parse: orNone(asText),
  },
  mailReplyTo: {
    flags: '--mail-reply-to <address|none>',
    description: 'address that answers to mail go to',
    parse: orNone(asText),
  },
  mailModerationFrom: {
    flags: '--mail-moderation-from <address|none>',
    description: "address that moderators' mail comes from; none: the cluster's",
    parse: orNone(asText),
  },
  mailFooter: {
    flags: '--mail-footer <text|none>',
    description: 'last words of every mail, such as a postal address',
    parse: orNone(asText),
  },
  mailsPerRecipientHourMax: {
    flags: '--mails-per-recipient-hour <n>',
    description: 'most mails to one address within an hour',
    parse: wholeNumber(1),
  },
  mailsPerTenantHourMax: {
    flags: '--mails-per-tenant-hour <n>',
    description: "most mails for all of the tenant's accounts within an hour",
    parse: wholeNumber(1),
  },
}

/** Adds an option for every tenant setting. */
export function addSettingOptions(command: Command): Command {
  for (const { flags, description, parse } of Object.values(settingOptions)) {
    command.option(flags, description, parse)
  }
  return command
}

/** Returns the settings that were given. */
export function settingsOf(options: Record<string, unknown>): TenantSettingsInput {
  const given = Object.entries(settingOptions).flatMap(([setting, { flags }]) => {
    const value = options[optionName(flags)]
    return value === undefined ? [] : [[setting, value === none ? null : value]]
  })
  return Object.fromEntries(given) as TenantSettingsInput
}

/** The name under which commander hands over an option: `--terms-url <url>` is `termsUrl`. */
function optionName(flags: string): string {
  const name = flags.slice(2).split(' ', 1)[0] ?? ''
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
