export { type AskServer, type ServerAnswer, type ServerRequest, createAskServer } from './ask-server.ts'
export { registerCompression } from './compression.ts'
export { registerCors } from './cors.ts'
export { errorMap, toXrpcError } from './error-map.ts'
export { type HostResolver, type PdsHost, normalizeHostname } from './pds-host.ts'
export { type SafeFetch, type SafeFetchOptions, createSafeFetch } from './safe-fetch.ts'
export { type LogContext, type ServerOptions, createServer } from './server.ts'
export { stepBack } from './step-back.ts'
export { decodeAnswer, readAnswer } from './upstream/answer-bytes.ts'
export { forwardedRequestHeaders, withoutContentHeaders } from './upstream/forwarded-headers.ts'
export { UpstreamAnswer } from './upstream/upstream-answer.ts'
export { UpstreamClient, type UpstreamOptions, type UpstreamRequest } from './upstream/upstream-client.ts'
export {
  type AnyXrpcMethod,
  RawAnswer,
  type XrpcCall,
  type XrpcGate,
  type XrpcLexicons,
  type XrpcMethod,
  defineMethod,
  jsonType,
  registerMethods,
} from './xrpc.ts'
export { XrpcError, commonErrors, invalidRequest } from './xrpc-error.ts'
