import { hash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIPv6 } from 'node:net'

import type { FastifyRequest } from 'fastify'

/** Who is not limited: see the variables of the same names. */
export type BypassOptions = { bypassKey: string | undefined; bypassRanges: readonly string[] }

/** Returns whether a request is not to be limited, by its `x-ratelimit-bypass` header or its address. */
export function bypass({ bypassKey, bypassRanges }: BypassOptions): (request: FastifyRequest) => boolean {
  const expected = bypassKey === undefined ? undefined : digest(bypassKey)
  const ranges = new BlockList()
  for (const range of bypassRanges) addRange(ranges, range)
  return (request) => {
    const offered = request.headers['x-ratelimit-bypass']
    if (expected !== undefined && typeof offered === 'string' && timingSafeEqual(digest(offered), expected)) {
      return true
    }
    return bypassRanges.length > 0 && ranges.check(request.ip, isIPv6(request.ip) ? 'ipv6' : 'ipv4')
  }
}

function addRange(ranges: BlockList, range: string): void {
  const [address = '', bits] = range.split('/')
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  if (bits === undefined) ranges.addAddress(address, family)
  else ranges.addSubnet(address, Number(bits), family)
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
