import { dayMs, hourMs, minuteMs, secondMs } from '@rookery/std'
import { z } from 'zod'

import {
  addressRanges,
  choice,
  flag,
  hex,
  hexList,
  integer,
  list,
  nameservers,
  text,
  url,
} from './parsers.ts'
import { rateOverridesText } from './rate-limits.ts'
import { telemetryVariables } from './telemetry-variables.ts'
import { defaulted, optional, required } from './variable.ts'

const serving = ['api', 'firehose', 'sequencer', 'worker'] as const
const portMax = 65_535

/** Every environment variable, by area: the one place where one is declared. */
export const variables = {
  http: {
    address: defaulted({
      env: 'ROOKERY_HTTP_ADDRESS',
      description: 'Address that the public port listens on.',
      schema: text,
      default: '0.0.0.0',
      roles: ['api', 'firehose'],
    }),
    port: defaulted({
      env: 'ROOKERY_HTTP_PORT',
      description: 'Public port of the process; 0 takes a free one.',
      schema: integer(0, portMax),
      default: '2583',
      roles: ['api', 'firehose'],
    }),
    internalPort: defaulted({
      env: 'ROOKERY_HTTP_INTERNAL_PORT',
      description: 'Internal port for /livez, /readyz and /metrics; 0 takes a free one. Never expose it.',
      schema: integer(0, portMax),
      default: '2590',
      roles: serving,
    }),
    trustedProxies: defaulted({
      env: 'ROOKERY_HTTP_TRUSTED_PROXIES',
      description:
        "Addresses or CIDR ranges of the load balancers whose X-Forwarded-For, -Host and -Proto are believed. Nobody else's are.",
      schema: list,
      default: '',
      roles: ['api', 'firehose'],
    }),
    stopDelayMs: defaulted({
      env: 'ROOKERY_HTTP_STOP_DELAY_MS',
      description:
        'Milliseconds that a stopping process goes on serving with /readyz failing, until no load balancer sends to it any more.',
      schema: integer(0, 10 * minuteMs),
      default: String(5 * secondMs),
      roles: ['api', 'firehose'],
    }),
    drainMs: defaulted({
      env: 'ROOKERY_HTTP_DRAIN_MS',
      description: 'Milliseconds that a stopping process then gives requests, sockets and jobs to end.',
      schema: integer(0, 10 * minuteMs),
      default: String(20 * secondMs),
      roles: serving,
    }),
  },
  database: {
    url: required({
      env: 'ROOKERY_DATABASE_URL',
      description: 'PostgreSQL connection URL.',
      schema: url('postgres', 'postgresql'),
      roles: ['all'],
      secret: true,
    }),
    poolMax: defaulted({
      env: 'ROOKERY_DATABASE_POOL_MAX',
      description:
        'Most connections that one process opens for requests. Exports and the leader use a few of their own.',
      schema: integer(2, 500),
      default: '16',
      roles: ['all'],
    }),
  },
  redis: {
    url: required({
      env: 'ROOKERY_REDIS_URL',
      description: 'Redis or Valkey connection URL.',
      schema: url('redis', 'rediss', 'unix'),
      roles: ['all'],
      secret: true,
    }),
    prefix: defaulted({
      env: 'ROOKERY_REDIS_PREFIX',
      description: 'Prefix of every key, so that clusters may share a Redis.',
      schema: text,
      default: 'rookery:',
      roles: ['all'],
    }),
  },
  blobs: {
    driver: defaulted({
      env: 'ROOKERY_BLOBS_DRIVER',
      description: '`s3` for any S3-compatible service, `disk` for one machine.',
      schema: choice('s3', 'disk'),
      default: 's3',
      roles: ['api', 'worker'],
    }),
    directory: optional({
      env: 'ROOKERY_BLOBS_DIRECTORY',
      description: 'Directory of the disk driver.',
      schema: text,
      roles: ['api', 'worker'],
    }),
    s3Endpoint: optional({
      env: 'ROOKERY_BLOBS_S3_ENDPOINT',
      description: 'Endpoint URL of the S3 service; unset for AWS.',
      schema: url('http', 'https'),
      roles: ['api', 'worker'],
    }),
    s3PublicEndpoint: optional({
      env: 'ROOKERY_BLOBS_S3_PUBLIC_ENDPOINT',
      description:
        'URL under which the world reaches the S3 service, through something that adds the headers of getBlob: large blobs are then answered by a redirect. Unset: all bytes go through the api.',
      schema: url('http', 'https'),
      roles: ['api'],
    }),
    s3Region: defaulted({
      env: 'ROOKERY_BLOBS_S3_REGION',
      description: 'Region of the bucket.',
      schema: text,
      default: 'us-east-1',
      roles: ['api', 'worker'],
    }),
    s3Bucket: optional({
      env: 'ROOKERY_BLOBS_S3_BUCKET',
      description: 'Bucket that holds every blob.',
      schema: text,
      roles: ['api', 'worker'],
    }),
    s3AccessKeyId: optional({
      env: 'ROOKERY_BLOBS_S3_ACCESS_KEY_ID',
      description: 'Access key; unset to use the ambient credentials.',
      schema: text,
      roles: ['api', 'worker'],
      secret: true,
    }),
    s3SecretAccessKey: optional({
      env: 'ROOKERY_BLOBS_S3_SECRET_ACCESS_KEY',
      description: 'Secret of the access key.',
      schema: text,
      roles: ['api', 'worker'],
      secret: true,
    }),
    s3PathStyle: defaulted({
      env: 'ROOKERY_BLOBS_S3_PATH_STYLE',
      description:
        'Puts the bucket in the path rather than the host name, as many S3-compatible services need.',
      schema: flag,
      default: 'false',
      roles: ['api', 'worker'],
    }),
    uploadBytesMax: defaulted({
      env: 'ROOKERY_BLOBS_UPLOAD_BYTES_MAX',
      description: 'Largest blob, in bytes.',
      schema: integer(1, 5_000_000_000),
      default: '104857600',
      roles: ['api', 'worker'],
    }),
  },
  repo: {
    importBytesMax: defaulted({
      env: 'ROOKERY_REPO_IMPORT_BYTES_MAX',
      description: 'Largest CAR that importRepo takes, in bytes.',
      schema: integer(1, 50_000_000_000),
      default: '1073741824',
      roles: ['api', 'worker'],
    }),
    exportKeepMs: defaulted({
      env: 'ROOKERY_REPO_EXPORT_KEEP_MS',
      description: 'How long the archive of an account that its owner asked for is kept, in milliseconds.',
      schema: integer(hourMs, 366 * dayMs),
      default: '604800000',
      roles: ['api', 'worker'],
    }),
  },
  events: {
    retentionMs: defaulted({
      env: 'ROOKERY_EVENTS_RETENTION_MS',
      description: 'How long the event log answers cursors, in milliseconds.',
      schema: integer(secondMs, 366 * dayMs),
      default: String(72 * hourMs),
      roles: ['sequencer', 'firehose'],
    }),
    ringBytesMax: defaulted({
      env: 'ROOKERY_EVENTS_RING_BYTES_MAX',
      description: 'Memory for recent frames in a firehose process, in bytes.',
      schema: integer(1_000_000, 16_000_000_000),
      default: String(256 * 1024 * 1024),
      roles: ['firehose'],
    }),
    leaseMs: defaulted({
      env: 'ROOKERY_EVENTS_LEASE_MS',
      description: 'How long the firehose may pause when the leader dies, in milliseconds.',
      schema: integer(500, minuteMs),
      default: String(5 * secondMs),
      roles: ['sequencer'],
    }),
  },
  identity: {
    plcUrl: defaulted({
      env: 'ROOKERY_PLC_URL',
      description: 'PLC directory.',
      schema: url('http', 'https'),
      default: 'https://plc.directory',
      roles: ['api', 'worker', 'ctl'],
    }),
    plcRotationKey: required({
      env: 'ROOKERY_PLC_ROTATION_KEY',
      description:
        "Private key (secp256k1, 32 bytes in hexadecimal) that signs PLC operations for the cluster's accounts.",
      schema: hex(32),
      roles: ['api', 'worker', 'ctl'],
      secret: true,
    }),
    plcRotationKeysPrevious: defaulted({
      env: 'ROOKERY_PLC_ROTATION_KEY_PREVIOUS',
      description:
        'Rotation keys that went before, separated by commas: DID documents may name them until `ctl keys rotate-plc` has been through.',
      schema: hexList(32),
      default: '',
      roles: ['api', 'worker', 'ctl'],
      secret: true,
    }),
    recoveryDidKey: optional({
      env: 'ROOKERY_RECOVERY_DID_KEY',
      description: "Public did:key that new accounts list before the cluster's rotation key.",
      schema: z.string().startsWith('did:key:'),
      roles: ['api', 'worker', 'ctl'],
    }),
    keyEncryptionKey: required({
      env: 'ROOKERY_KEY_ENCRYPTION_KEY',
      description:
        "Key (32 bytes in hexadecimal) that wraps every account's signing key. Losing it loses the accounts' keys.",
      schema: hex(32),
      roles: ['api', 'worker', 'ctl'],
      secret: true,
    }),
    keyEncryptionKeysPrevious: defaulted({
      env: 'ROOKERY_KEY_ENCRYPTION_KEY_PREVIOUS',
      description:
        'Keys that went before, separated by commas: they unwrap what `ctl keys rewrap` has not wrapped anew yet.',
      schema: hexList(32),
      default: '',
      roles: ['api', 'worker', 'ctl'],
      secret: true,
    }),
    cacheStaleMs: defaulted({
      env: 'ROOKERY_IDENTITY_CACHE_STALE_MS',
      description:
        'Age after which a cached DID document or handle is refreshed in the background, in milliseconds.',
      schema: integer(0, dayMs),
      default: String(hourMs),
      roles: ['api', 'worker'],
    }),
    cacheMaxMs: defaulted({
      env: 'ROOKERY_IDENTITY_CACHE_MAX_MS',
      description: 'Age after which a cached DID document or handle is not used, in milliseconds.',
      schema: integer(0, 7 * dayMs),
      default: String(dayMs),
      roles: ['api', 'worker'],
    }),
    nameservers: defaulted({
      env: 'ROOKERY_IDENTITY_NAMESERVERS',
      description:
        "Nameservers that are asked for handles and lexicons: IP addresses, perhaps with a port, separated by commas. Default: the system's.",
      schema: nameservers,
      default: '',
      roles: ['api'],
    }),
    allowPrivateNetwork: defaulted({
      env: 'ROOKERY_DEV_ALLOW_PRIVATE_NETWORK',
      description:
        'Allows outbound requests to loopback and private addresses, plain HTTP and `.test` handles. For a local stack only.',
      schema: flag,
      default: 'false',
      roles: ['api', 'worker', 'ctl'],
    }),
  },
  proxy: {
    headersTimeoutMs: defaulted({
      env: 'ROOKERY_PROXY_HEADERS_TIMEOUT_MS',
      description:
        'How long another service may take to begin its answer to a proxied request, in milliseconds.',
      schema: integer(100, 10 * minuteMs),
      default: String(10 * secondMs),
      roles: ['api'],
    }),
    bodyTimeoutMs: defaulted({
      env: 'ROOKERY_PROXY_BODY_TIMEOUT_MS',
      description: 'Longest pause within the answer to a proxied request, in milliseconds.',
      schema: integer(100, 10 * minuteMs),
      default: String(30 * secondMs),
      roles: ['api'],
    }),
    requestBytesMax: defaulted({
      env: 'ROOKERY_PROXY_REQUEST_BYTES_MAX',
      description: 'Largest body of a proxied request, in bytes.',
      schema: integer(1, 5_000_000_000),
      default: '104857600',
      roles: ['api'],
    }),
    answerBytesMax: defaulted({
      env: 'ROOKERY_PROXY_ANSWER_BYTES_MAX',
      description: 'Largest answer to a proxied request, in bytes.',
      schema: integer(1, 1_000_000_000),
      default: '10485760',
      roles: ['api'],
    }),
    audience: defaulted({
      env: 'ROOKERY_PROXY_AUDIENCE',
      description:
        "How service tokens of proxied requests name the service: by its `did`, as today's services want it, or as `did#service`.",
      schema: choice('did', 'did#service'),
      default: 'did',
      roles: ['api'],
    }),
  },
  auth: {
    jwtSecret: required({
      env: 'ROOKERY_JWT_SECRET',
      description: 'Secret (at least 32 characters) that signs session tokens; the same in every process.',
      schema: text.min(32, 'expected at least 32 characters'),
      roles: ['api'],
      secret: true,
    }),
    adminPassword: required({
      env: 'ROOKERY_ADMIN_PASSWORD',
      description: 'Password of the operator: HTTP Basic `admin` on com.atproto.admin.* methods.',
      schema: text.min(8, 'expected at least 8 characters'),
      roles: ['api'],
      secret: true,
    }),
    accessTokenMs: defaulted({
      env: 'ROOKERY_AUTH_ACCESS_TOKEN_MS',
      description: 'Life of an access token, in milliseconds.',
      schema: integer(secondMs, dayMs),
      default: String(30 * minuteMs),
      roles: ['api'],
    }),
    refreshTokenMs: defaulted({
      env: 'ROOKERY_AUTH_REFRESH_TOKEN_MS',
      description: 'Life of a refresh token, in milliseconds.',
      schema: integer(minuteMs, 366 * dayMs),
      default: String(90 * dayMs),
      roles: ['api'],
    }),
    passwordConcurrency: defaulted({
      env: 'ROOKERY_AUTH_PASSWORD_CONCURRENCY',
      description:
        'How many passwords one process hashes at once. More than one only where it has more than two cores: hashes beside each other cost a fifth more each.',
      schema: integer(1, 64),
      default: '1',
      roles: ['api'],
    }),
  },
  mail: {
    url: optional({
      env: 'ROOKERY_MAIL_URL',
      description:
        'Where mail is handed over: `smtp://` or `smtps://` with user and password, or `ses://<region>` for the API of Amazon SES. Unset: mail is logged and dropped.',
      schema: url('smtp', 'smtps', 'ses'),
      roles: ['worker'],
      secret: true,
    }),
    from: defaulted({
      env: 'ROOKERY_MAIL_FROM',
      description: 'Sender of mail for tenants without one of their own.',
      schema: text,
      default: 'Rookery <noreply@localhost>',
      roles: ['worker'],
    }),
    moderationFrom: optional({
      env: 'ROOKERY_MAIL_MODERATION_FROM',
      description:
        "Address that moderators' mail comes from for tenants without one of their own; unset: the same as other mail.",
      schema: z.email('expected an e-mail address'),
      roles: ['worker'],
    }),
  },
  crawl: {
    relays: defaulted({
      env: 'ROOKERY_CRAWL_RELAYS',
      description: 'Relays that are asked to crawl each host, as URLs separated by commas.',
      schema: list,
      default: '',
      roles: ['worker', 'ctl'],
    }),
  },
  limits: {
    rateLimits: defaulted({
      env: 'ROOKERY_LIMITS_RATE',
      description: 'Whether rate limits are enforced.',
      schema: flag,
      default: 'true',
      roles: ['api'],
    }),
    rateOverrides: defaulted({
      env: 'ROOKERY_LIMITS_RATE_OVERRIDES',
      description:
        'Rate limits that differ from the default, as `<bucket>=<points>/<seconds>` or `<bucket>=off`, separated by commas; `<bucket>@<key>` is for one key alone. Hosts and tenants may have their own.',
      schema: rateOverridesText,
      default: '',
      roles: ['api'],
    }),
    bypassKey: optional({
      env: 'ROOKERY_LIMITS_BYPASS_KEY',
      description: 'Requests with this (at least 16 characters) in `x-ratelimit-bypass` are not limited.',
      schema: text.min(16, 'expected at least 16 characters'),
      roles: ['api'],
      secret: true,
    }),
    bypassRanges: defaulted({
      env: 'ROOKERY_LIMITS_BYPASS_RANGES',
      description: 'Addresses or CIDR ranges whose requests are not limited.',
      schema: addressRanges,
      default: '',
      roles: ['api'],
    }),
  },
  telemetry: telemetryVariables,
  log: {
    level: defaulted({
      env: 'ROOKERY_LOG_LEVEL',
      description: 'Least severe level that is logged.',
      schema: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      default: 'info',
      roles: ['all'],
    }),
  },
} as const

/** Names that the set-up and the tests read; allowed in the environment, not part of the configuration. */
export const reservedNames = [
  'ROOKERY_STACK',
  'ROOKERY_SHARED',
  'ROOKERY_TEST_DATABASE_URL',
  'ROOKERY_TEST_REDIS_URL',
]
