import { isIPv6 } from 'node:net'

/** Hexadecimal groups of an IPv6 address that belong to a network; the rest is its owner's to choose. */
const networkGroups = 4

/**
 * Returns what requests from an address are counted under: an IPv4 address, or the /64 network of an IPv6 address,
 * whose owner has 2^64 addresses to send from.
 */
export function clientKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  // An address that ends in IPv4 notation has it in the last two groups, which do not count here.
  const known = groups.length + (tail === undefined || tail === '' ? 0 : tail.split(':').length)
  const middle = tail === undefined ? [] : Array<string>(Math.max(0, 8 - known)).fill('0')
  const all = [...groups, ...middle, ...(tail ?? '').split(':')]
  const network = all.slice(0, networkGroups).map((group) => Number.parseInt(group || '0', 16).toString(16))
  return `${network.join(':')}::/64`
}
