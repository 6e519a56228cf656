/** Every Redis key and channel, built from the cluster's prefix: the one place that names them. */
export type RedisKeys = ReturnType<typeof redisKeys>

/** Returns the key names under a prefix such as `rookery:`. */
export function redisKeys(prefix: string) {
  return {
    /** Stream of published frames; entry ids are `<seq>-0`. */
    eventStream: `${prefix}events`,
    /** Channel on which a committed event wakes the leader. */
    eventWake: `${prefix}events:wake`,
    /** Cached DID document. */
    didDocument: (did: string) => `${prefix}did:${did}`,
    /** Cached handle resolution. */
    handle: (handle: string) => `${prefix}handle:${handle}`,
    /** Seen token id of a service-auth issuer. */
    serviceAuthJti: (hostId: number, issuer: string, jti: string) =>
      `${prefix}jti:${hostId}:${issuer}:${jti}`,
    /** Points that a key of a host has taken from a bucket. */
    rateCount: (hostId: number, bucket: string, key: string) => `${prefix}rate:${hostId}:${bucket}:${key}`,
    /** Seen nonce of an OAuth proof, assertion or challenge, as a digest. */
    oauthNonce: (hostId: number, digest: string) => `${prefix}oauth:nonce:${hostId}:${digest}`,
    /** Cached metadata of an OAuth client. */
    oauthClient: (clientId: string) => `${prefix}oauth:client:${clientId}`,
    /** Cached keys of an OAuth client. */
    oauthClientKeys: (uri: string) => `${prefix}oauth:jwks:${uri}`,
    /** Last time a host's relays were asked to crawl. */
    crawlRequested: (hostId: number, relay: string) => `${prefix}crawl:${hostId}:${relay}`,
    /** Channel on which a committed job wakes the relays. */
    jobWake: `${prefix}jobs:wake`,
    /** Marks that this Redis still holds what the relays put into it: gone after a flush. */
    jobEpoch: `${prefix}jobs:epoch`,
    /** Prefix of BullMQ's own keys. */
    jobs: `${prefix}jobs`,
  }
}
