import {
  type Account,
  AccountReader,
  type NoteFailure,
  PasswordHasher,
  type SecretWrapper,
  SessionTokens,
} from '@rookery/accounts'
import type { BlobStore } from '@rookery/blobs'
import type { Config } from '@rookery/config'
import type { Database } from '@rookery/db'
import { sequencerWaker } from '@rookery/events'
import { UpstreamClient, createAskServer, createSafeFetch } from '@rookery/http'
import {
  IdentityResolver,
  KeyWrapper,
  PlcClient,
  PlcIdentities,
  ServiceTokens,
  SigningKeys,
  identityBytesMax,
  plcTimeoutMs,
  resolutionTimeoutMs,
  txtResolver,
} from '@rookery/identity'
import { wakeJobs } from '@rookery/jobs'
import type { LexiconRegistry } from '@rookery/lexicon'
import type { LexiconResolver, RecordLexiconFinder } from '@rookery/lexicon-resolver'
import type { FindLexicon } from '@rookery/oauth'
import {
  type NewRepoOptions,
  RecordReader,
  RepoExporter,
  type RepoWriter,
  createRepo,
  processTidClock,
} from '@rookery/records'
import { RateCounters, type Redis, type RedisKeys, redisKeys } from '@rookery/redis'
import type { TidClock } from '@rookery/syntax'
import type { Logger } from '@rookery/telemetry'
import type { HostDirectory } from '@rookery/tenants'

import { type SecondFactorDeps, signInPolicies } from './accounts/second-factor.ts'
import { failureNoter } from './accounts/note-failure.ts'
import { sessionLifetimes } from './accounts/session-lifetimes.ts'
import type { SignUpDeps } from './accounts/sign-up.ts'
import { KnownWriters } from './auth/known-writers.ts'
import { RateLimiter } from './limits/rate-limiter.ts'
import { lexiconDeps } from './lexicon-deps.ts'
import type { ForwardDeps } from './proxy/forward.ts'
import type { LifetimesOf } from '@rookery/oauth'
import { OAuthProviders } from './oauth/providers.ts'
import { SignedState } from './pages/signed-state.ts'
import { createRepoWriter } from './repo-writer.ts'

/** What an api process connects to, and what it was told. */
export type ApiConnections = {
  config: Config
  log: Logger
  db: Database
  /** Connections for exports alone: each may keep one for long. */
  exportPool: Database['pool']
  redis: Redis
  blobs: BlobStore
  directory: HostDirectory
  lexicons: LexiconRegistry
}

/** Everything an api process is built from. Handlers never see it: each takes the few things that it names. */
export type ApiDeps = ApiConnections & {
  keys: RedisKeys
  exporter: RepoExporter
  /** Makes revs; its clock id tells this process's from others'. */
  clock: TidClock
  accounts: AccountReader
  passwords: PasswordHasher
  tokens: SessionTokens
  /** Who was found to be allowed to write: see `writeOwnRepo`. */
  knownWriters: KnownWriters
  /** Throws if the account's tenant is suspended. */
  admit: (account: Pick<Account, 'tenant_id'>) => Promise<void>
  rateLimiter: RateLimiter
  /** Wraps secrets with the cluster's key-encryption key. */
  wrapper: SecretWrapper
  policyOf: SecondFactorDeps['policyOf']
  lifetimesOf: LifetimesOf
  noteFailure: NoteFailure
  signingKeys: SigningKeys
  plc: PlcIdentities
  identities: IdentityResolver
  /** Finds lexicons that are not bundled: those of records, and sets of permissions. */
  lexiconResolver: LexiconResolver
  recordLexicons: RecordLexiconFinder
  findLexicon: FindLexicon
  /** The hosts' authorization servers. */
  oauth: OAuthProviders
  signedState: SignedState
  records: RecordReader
  /** Writes repos; must be disposed of. */
  writer: RepoWriter
  /** Calls other services; must be disposed of. */
  upstream: UpstreamClient
  serviceTokens: ServiceTokens
  audience: ForwardDeps['audience']
  /** Begins the repo of a new account in the caller's transaction. */
  createRepo: SignUpDeps['createRepo']
  adminPassword: string
  allowPrivateNetwork: boolean
  /** Tells the sequencer of a committed event; never fails. */
  wakeSequencer: () => void
  /** Tells the workers of a committed job; never fails. */
  wakeWorkers: () => void
}

/** Returns everything that an api process is built from; of it only `writer` and `upstream` must be disposed of. */
export function createApiDeps(connections: ApiConnections): ApiDeps {
  const { config, db, redis } = connections
  const keys = redisKeys(config.redis.prefix)
  const clock = processTidClock()
  const wrapper = KeyWrapper.fromHex(config.identity)
  const signingKeys = new SigningKeys({ db, wrapper })
  const wakes = {
    wakeSequencer: sequencerWaker(redis, keys),
    wakeWorkers: () => wakeJobs(redis, keys),
  }
  const identity = identityDeps(connections, keys)
  const deps = {
    ...connections,
    ...wakes,
    ...identity,
    ...lexiconDeps(connections, identity.identities),
    keys,
    signedState: new SignedState(config.auth.jwtSecret),
    wrapper,
    policyOf: signInPolicies(connections.directory),
    lifetimesOf: sessionLifetimes(connections.directory),
    noteFailure: failureNoter(connections),
    exporter: new RepoExporter(connections.exportPool),
    clock,
    accounts: new AccountReader(db.pool),
    passwords: new PasswordHasher(config.auth.passwordConcurrency),
    tokens: new SessionTokens({
      secret: config.auth.jwtSecret,
      accessTokenMs: config.auth.accessTokenMs,
      refreshTokenMs: config.auth.refreshTokenMs,
    }),
    knownWriters: new KnownWriters(),
    admit: async ({ tenant_id }: Pick<Account, 'tenant_id'>) => {
      await connections.directory.getActiveTenant(tenant_id)
    },
    rateLimiter: new RateLimiter({
      counters: new RateCounters(connections.log, redis),
      keys,
      directory: connections.directory,
      config: config.limits,
    }),
    signingKeys,
    records: new RecordReader(db.pool),
    upstream: new UpstreamClient({
      ...config.proxy,
      allowPrivateNetwork: config.identity.allowPrivateNetwork,
    }),
    serviceTokens: new ServiceTokens(signingKeys),
    audience: config.proxy.audience,
    writer: createRepoWriter({ ...connections, ...wakes, clock, signingKeys }),
    createRepo: repoCreator(clock),
    adminPassword: config.auth.adminPassword,
  }
  const fetch = createSafeFetch({ to: 'client', allowPrivateNetwork: config.identity.allowPrivateNetwork })
  const secret = config.auth.jwtSecret
  const oauth = new OAuthProviders({ ...deps, fetch, secret })
  return { ...deps, oauth }
}

function identityDeps(
  { config, log, redis }: ApiConnections,
  keys: RedisKeys,
): Pick<ApiDeps, 'plc' | 'identities' | 'allowPrivateNetwork'> {
  const { allowPrivateNetwork, plcUrl, plcRotationKey, recoveryDidKey, ...rest } = config.identity
  const askPlc = createAskServer({ to: 'plc', timeoutMs: plcTimeoutMs })
  const client = new PlcClient(plcUrl, askPlc)
  const fetch = createSafeFetch({
    to: 'identity',
    allowPrivateNetwork,
    timeoutMs: resolutionTimeoutMs,
    responseBytesMax: identityBytesMax,
  })
  return {
    allowPrivateNetwork,
    plc: new PlcIdentities({
      client,
      rotationKey: plcRotationKey,
      previousRotationKeys: rest.plcRotationKeysPrevious,
      recoveryDidKey,
    }),
    identities: new IdentityResolver({
      log,
      redis,
      keys,
      sources: { fetch, askPlc, plcUrl, allowPrivateNetwork, resolveTxt: txtResolver(rest.nameservers) },
      cacheStaleMs: rest.cacheStaleMs,
      cacheMaxMs: rest.cacheMaxMs,
    }),
  }
}

function repoCreator(clock: TidClock): SignUpDeps['createRepo'] {
  return async (tx, { account, status, signer, revAbove }) => {
    const sign: NewRepoOptions['sign'] = (bytes) => signer.sign(bytes)
    const { id: accountId, host_id: hostId, did } = account
    await createRepo(tx, { accountId, hostId, did, status, sign, clock, revAbove })
  }
}
