import type { IncomingMessage, ServerResponse } from 'node:http'

import { imageSource } from '../pages/image-source.ts'

/**
 * The cookies that say who a browser is. Under `__Host-` only the host itself can set them (RFC 6265bis, 4.1.3.2): no
 * page of a subdomain or sibling, which may be anybody's, can give a browser a session that somebody else knows.
 */
const names = ['dev-id', 'ses-id'] as const
const prefix = '__Host-'

export type PageHeadersOptions = {
  /** Whether browsers come by HTTPS; without, they take no `__Host-` cookies. */
  isSecure: boolean
  /** The picture of another server that pages show. */
  logo: string | undefined
}

/** Makes a request's cookies what the provider knows, and its answer's headers stricter than the provider's. */
export function tightenPageHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  { isSecure, logo }: PageHeadersOptions,
): void {
  const { cookie } = request.headers
  if (isSecure && cookie !== undefined) request.headers.cookie = toProvider(cookie)
  beforeHead(response, () => {
    const cookies = response.getHeader('set-cookie')
    if (isSecure && cookies !== undefined) {
      response.setHeader('set-cookie', [cookies].flat().map(String).map(toBrowser))
    }
    const policy = response.getHeader('content-security-policy')
    if (policy !== undefined) response.setHeader('content-security-policy', tighten(String(policy), logo))
  })
}

/** Does the work once, just before the head of the answer is sent. */
function beforeHead(response: ServerResponse, work: () => void): void {
  const writeHead = response.writeHead.bind(response)
  response.writeHead = ((...args: Parameters<ServerResponse['writeHead']>) => {
    response.writeHead = writeHead
    work()
    return writeHead(...args)
  }) as ServerResponse['writeHead']
}

function toProvider(header: string): string {
  return header
    .split(/; */)
    .filter((pair) => !isOurs(pair, ''))
    .map((pair) => (isOurs(pair, prefix) ? pair.slice(prefix.length) : pair))
    .join('; ')
}

function toBrowser(cookie: string): string {
  return isOurs(cookie, '') ? `${prefix}${cookie}` : cookie
}

function isOurs(pair: string, before: string): boolean {
  return names.some((name) => pair.startsWith(`${before}${name}=`))
}

/** Pictures come from here, or are the tenant's logo: opening a page tells no other server so. */
function tighten(policy: string, logo: string | undefined): string {
  const images = ["'self'", 'data:', ...(logo?.startsWith('http') === true ? [imageSource(logo)] : [])].join(
    ' ',
  )
  const directives = policy.split('; ').filter((directive) => !/^(img-src|base-uri) /.test(directive))
  return [...directives, `img-src ${images}`, "base-uri 'none'"].join('; ')
}
