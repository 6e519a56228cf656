import { invalidRequest } from '@rookery/http'
import { isDid } from '@rookery/syntax'

/** A service by the names that it has on the network: its DID and its id in the DID's document. */
export type ServiceName = { did: string; id: string }

/**
 * Returns the service that an atproto-proxy header (`<did>#<service id>`) names.
 *
 * @throws {XrpcError} 400 if it names none (SPEC PX-1).
 */
export function parseProxyHeader(header: string): ServiceName {
  const hash = header.indexOf('#')
  if (hash === 0) throw invalidRequest('no did specified in proxy header')
  if (hash === -1 || hash === header.length - 1) {
    throw invalidRequest('no service id specified in proxy header')
  }
  if (header.includes('#', hash + 1)) throw invalidRequest('invalid proxy header format')
  if (/\s/.test(header)) throw invalidRequest('proxy header cannot contain spaces')
  const did = header.slice(0, hash)
  if (!isDid(did)) throw invalidRequest(`Poorly formatted DID: ${did}`)
  if (!/^did:(plc|web):/.test(did)) throw invalidRequest(`Unsupported DID method: ${did}`)
  return { did, id: header.slice(hash + 1) }
}
