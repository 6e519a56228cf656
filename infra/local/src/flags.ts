/** The flags of `npm start`: one table for parsing and for --help. Imports nothing that must be installed first. */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { SetUpError } from './set-up-error.ts'

const projectDir = resolve(import.meta.dirname, '../../..')

type Flag = { value?: string; default?: string; text: string }

const flags = {
  stack: {
    text: 'separate processes behind a load balancer, instead of one process (also: ROOKERY_STACK=1)',
  },
  api: { value: 'N', default: '2', text: 'api processes, with --stack' },
  firehose: { value: 'N', default: '2', text: 'firehose processes, with --stack' },
  worker: { value: 'N', default: '1', text: 'worker processes, with --stack' },
  sequencer: { value: 'N', default: '2', text: 'sequencer processes (one leads), with --stack' },
  port: { value: 'P', default: '2583', text: 'port of the first host; the second host is on the next port' },
  dir: { value: 'D', default: '.local', text: 'folder for databases, blobs, secrets, logs and stack.json' },
  s3: { value: 'endpoint|emulator|disk', default: 'disk', text: 'where blobs go' },
  'database-url': { value: 'URL', text: 'use this PostgreSQL (default: one of our own)' },
  'redis-url': { value: 'URL', text: 'use this Redis (default: one of our own)' },
  'plc-url': { value: 'URL', text: 'use this PLC directory (default: one of our own)' },
  'rate-limits': {
    value: 'on|off',
    default: 'on',
    text: 'whether rate limits are enforced',
  },
  'retention-ms': { value: 'N', default: '259200000', text: 'how long the event log answers cursors' },
  'handle-domains': {
    value: '.a,.b',
    default: '.test',
    text: "handle domains of the first host's tenant",
  },
  invites: { value: 'on|off', default: 'off', text: 'whether sign-up needs an invite code' },
  'invite-interval-ms': { value: 'N', text: 'accounts earn an invite code this often (default: never)' },
  'invite-epoch': {
    value: 'N',
    default: '0',
    text: 'codes are earned from this instant on, in Unix milliseconds',
  },
  appview: { value: 'did,url[,cdn-pattern]', text: 'AppView of the first tenant (default: none)' },
  moderation: { value: 'did,url', text: 'moderation service of the first tenant (default: none)' },
  'contact-email': { value: 'ADDRESS', text: 'shown by describeServer (default: none)' },
  'terms-url': { value: 'URL', text: 'shown by describeServer (default: none)' },
  'privacy-url': { value: 'URL', text: 'shown by describeServer (default: none)' },
  profile: {
    text: 'for profiling: PostgreSQL with pg_stat_statements and auto_explain, inspectors (SIGUSR1) on free ports',
  },
  help: { text: 'show this' },
} as const satisfies Record<string, Flag>

/** Settings of the first host's tenant that hold for one run. */
type TenantFlags = {
  handleDomains: string[]
  inviteRequired: boolean
  inviteIntervalMs: number | null
  inviteEpochMs: number
  appView: { did: string; url: string; cdnUrlPattern?: string } | null
  moderation: { did: string; url: string } | null
  contactEmail: string | null
  termsOfServiceUrl: string | null
  privacyPolicyUrl: string | null
}

/** How many processes of each role. */
type RoleCounts = { api: number; firehose: number; worker: number; sequencer: number }

/** What `npm start` was asked for. */
export type StartOptions = {
  help: boolean
  stack: boolean
  counts: RoleCounts
  /** Port of the first host; the second host has the next one. */
  port: number
  /** Absolute. */
  dir: string
  /** `disk`, `emulator` or an endpoint URL. */
  s3: string
  databaseUrl: string | undefined
  redisUrl: string | undefined
  plcUrl: string | undefined
  rateLimits: boolean
  retentionMs: number
  /** Ready to be profiled: see docs/performance.md. */
  profile: boolean
  tenant: TenantFlags
}

/**
 * Parses the arguments of `npm start`.
 *
 * @throws {SetUpError} if a flag is unknown or its value is unusable.
 */
export function parseStartOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const values = parseValues(args)
  const text = (name: keyof typeof flags): string | undefined => {
    const given = values[name] ?? (flags[name] as Flag).default
    return typeof given === 'string' ? given : undefined
  }
  const count = (name: keyof typeof flags, min: number, max: number): number => {
    const given = Number(text(name))
    if (Number.isInteger(given) && given >= min && given <= max) return given
    throw new SetUpError(`--${name} ${text(name)}: expected a number from ${min} to ${max}`)
  }
  const onOff = (name: keyof typeof flags): boolean => {
    const given = text(name)
    if (given === 'on' || given === 'off') return given === 'on'
    throw new SetUpError(`--${name} ${given}: expected on or off`)
  }
  const counts = {
    api: count('api', 1, 64),
    firehose: count('firehose', 1, 64),
    worker: count('worker', 1, 64),
    sequencer: count('sequencer', 1, 16),
  }
  return {
    help: values['help'] === true,
    stack: values['stack'] === true || ['1', 'true', 'on'].includes(env['ROOKERY_STACK'] ?? ''),
    counts,
    port: count('port', 1, 65_534),
    dir: values['dir'] === undefined ? join(projectDir, '.local') : resolve(text('dir') ?? ''),
    s3: parseS3(text('s3') ?? ''),
    databaseUrl: text('database-url'),
    redisUrl: text('redis-url'),
    plcUrl: text('plc-url'),
    rateLimits: onOff('rate-limits'),
    retentionMs: count('retention-ms', 1_000, 366 * 86_400_000),
    profile: values['profile'] === true,
    tenant: {
      handleDomains: parseDomains(text('handle-domains') ?? ''),
      inviteRequired: onOff('invites'),
      inviteIntervalMs:
        text('invite-interval-ms') === undefined ? null : count('invite-interval-ms', 1, 2 ** 53 - 1),
      inviteEpochMs: count('invite-epoch', 0, 2 ** 53 - 1),
      appView: parseAppView(text('appview')),
      moderation: parseService('moderation', text('moderation')?.split(',')),
      contactEmail: text('contact-email') ?? null,
      termsOfServiceUrl: text('terms-url') ?? null,
      privacyPolicyUrl: text('privacy-url') ?? null,
    },
  }
}

/** The text of `npm start -- --help`. */
export function startHelp(): string {
  const rows = Object.entries(flags as Record<string, Flag>).map(([name, flag]) => {
    const usage = `--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`
    return `  ${usage.padEnd(34)} ${flag.text}${flag.default === undefined ? '' : ` (default: ${flag.default})`}`
  })
  return [
    'npm start -- [flags]',
    '',
    'Sets everything up and runs Rookery on this machine: PostgreSQL, Redis, a PLC directory, a mail catcher,',
    'and two hosts with a demo tenant each. Without --stack all roles run in one process.',
    '',
    ...rows,
    '',
    'Settings of the cluster (ROOKERY_PLC_ROTATION_KEY, ROOKERY_JWT_SECRET, …) come from the environment;',
    'docs/configuration.md lists them. Those that are not set are made once and kept in the folder --dir.',
    '',
  ].join('\n')
}

function parseValues(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    Object.entries(flags as Record<string, Flag>).map(([name, flag]) => [
      name,
      { type: flag.value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
    return values
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SetUpError(`${reason} (npm start -- --help lists every flag)`, { cause: error })
  }
}

function parseS3(value: string): string {
  if (value === 'disk' || value === 'emulator' || /^https?:\/\//.test(value)) return value
  throw new SetUpError(`--s3 ${value}: expected disk, emulator or the URL of an S3 endpoint`)
}

function parseDomains(value: string): string[] {
  const domains = value.split(',').map((domain) => domain.trim().toLowerCase())
  const bad = domains.find((domain) => !/^(\.[a-z0-9-]+)+$/.test(domain))
  if (bad === undefined) return domains
  throw new SetUpError(`--handle-domains: ${JSON.stringify(bad)} is not a domain that starts with a dot`)
}

function parseAppView(value: string | undefined): TenantFlags['appView'] {
  if (value === undefined) return null
  const [did = '', url = '', ...pattern] = value.split(',')
  const service = parseService('appview', [did, url])
  // A pattern may itself hold commas.
  return service === null || pattern.length === 0 ? service : { ...service, cdnUrlPattern: pattern.join(',') }
}

function parseService(name: string, parts: string[] | undefined): { did: string; url: string } | null {
  if (parts === undefined) return null
  const [did = '', url = ''] = parts
  if (parts.length === 2 && did.startsWith('did:') && URL.canParse(url)) return { did, url }
  throw new SetUpError(`--${name} ${parts.join(',')}: expected <did>,<url>`)
}
