import { Resolver } from 'node:dns'
import { isIP, isIPv4 } from 'node:net'

import { z } from 'zod'

/** Any text. */
export const text = z.string()

/** A whole number within bounds, both inclusive. */
export function integer(min: number, max: number): z.ZodType<number> {
  return z
    .string()
    .regex(/^-?\d+$/, 'expected a whole number')
    .transform(Number)
    .refine((n) => n >= min && n <= max, `expected a number from ${min} to ${max}`)
}

/** `true`/`1`/`on` or `false`/`0`/`off`. */
export const flag: z.ZodType<boolean> = z
  .enum(['true', '1', 'on', 'false', '0', 'off'], 'expected true or false')
  .transform((value) => ['true', '1', 'on'].includes(value))

/** An absolute URL of one of the given protocols. */
export function url(...protocols: string[]): z.ZodType<string> {
  return z.string().refine(
    (value) => {
      const protocol = URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : undefined
      return protocol !== undefined && protocols.includes(protocol)
    },
    `expected a URL starting with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  )
}

/** Entries separated by commas; empty text is an empty list. */
export const list: z.ZodType<string[]> = z.string().transform((value) =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
)

/** IP addresses of nameservers, perhaps with a port (`192.0.2.1:53`, `[2001:db8::1]:53`), separated by commas. */
export const nameservers = list.refine(
  areNameservers,
  'expected IP addresses, perhaps with a port, separated by commas',
)

function areNameservers(servers: string[]): boolean {
  try {
    new Resolver().setServers(servers)
    return true
  } catch {
    return false
  }
}

/** Addresses or CIDR ranges of them, separated by commas. */
export const addressRanges = list.refine(
  (ranges) => ranges.every(isAddressRange),
  'expected addresses or CIDR ranges, separated by commas',
)

function isAddressRange(range: string): boolean {
  const [address = '', bits, ...rest] = range.split('/')
  const bitsMax = isIPv4(address) ? 32 : 128
  const isWhole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax)
  return isIP(address) !== 0 && isWhole && rest.length === 0
}

/** Exactly the given number of bytes, in hexadecimal. */
export function hex(bytes: number): z.ZodType<string> {
  return z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`), `expected ${bytes} bytes in hexadecimal`)
    .transform((value) => value.toLowerCase())
}

/** Entries of exactly the given number of bytes each, in hexadecimal, separated by commas. */
export function hexList(bytes: number): z.ZodType<string[]> {
  return list.transform((entries, context) =>
    entries.map((entry) => {
      const parsed = hex(bytes).safeParse(entry)
      if (!parsed.success) context.addIssue(`expected ${bytes} bytes in hexadecimal, or several with commas`)
      return parsed.data ?? ''
    }),
  )
}

/** One of the given words. */
export function choice<const T extends readonly [string, ...string[]]>(...words: T): z.ZodType<T[number]> {
  return z.enum(words, `expected one of ${words.join(', ')}`)
}
