import { createAskServer, createSafeFetch } from '@rookery/http'
import {
  IdentityResolver,
  KeyWrapper,
  PlcClient,
  PlcIdentities,
  SigningKeys,
  identityBytesMax,
  plcTimeoutMs,
  resolutionTimeoutMs,
  txtResolver,
} from '@rookery/identity'
import { createRedis, redisKeys } from '@rookery/redis'

import type { CtlContext } from './context.ts'

/** The accounts' keys and identities, as the processes of the cluster see them. */
export type CtlIdentity = Disposable & {
  wrapper: KeyWrapper
  signingKeys: SigningKeys
  plc: PlcIdentities
  identities: IdentityResolver
}

/** Opens keys and identities with the configuration; the caller disposes of them. */
export function openIdentity(context: CtlContext): CtlIdentity {
  const { identity, redis: server } = context.config(['ctl'])
  const { plcUrl, allowPrivateNetwork } = identity
  const askPlc = createAskServer({ timeoutMs: plcTimeoutMs })
  const fetch = createSafeFetch({
    allowPrivateNetwork,
    timeoutMs: resolutionTimeoutMs,
    responseBytesMax: identityBytesMax,
  })
  const wrapper = KeyWrapper.fromHex(identity)
  const redis = createRedis(context.log, server.url)
  return {
    wrapper,
    signingKeys: new SigningKeys({ db: context.db, wrapper }),
    plc: new PlcIdentities({
      client: new PlcClient(plcUrl, askPlc),
      rotationKey: identity.plcRotationKey,
      previousRotationKeys: identity.plcRotationKeysPrevious,
      recoveryDidKey: identity.recoveryDidKey,
    }),
    identities: new IdentityResolver({
      log: context.log,
      redis,
      keys: redisKeys(server.prefix),
      sources: {
        fetch,
        askPlc,
        plcUrl,
        allowPrivateNetwork,
        resolveTxt: txtResolver(identity.nameservers),
      },
      cacheStaleMs: identity.cacheStaleMs,
      cacheMaxMs: identity.cacheMaxMs,
    }),
    [Symbol.dispose]: () => redis.disconnect(),
  }
}
