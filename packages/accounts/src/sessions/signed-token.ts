import { type KeyObject, createHmac, timingSafeEqual } from 'node:crypto'

/** What a JWT holds, by name; nothing of it is typed. */
export type TokenPart = Readonly<Record<string, unknown>>

/** Returns the JWT of a payload, signed with HMAC-SHA256; `typ` is its type. */
export function signToken(key: KeyObject, typ: string, payload: TokenPart): string {
  const signed = `${encode({ typ, alg: 'HS256' })}.${encode(payload)}`
  return `${signed}.${signature(key, signed)}`
}

/**
 * Returns header and payload of a JWT that this key signed with HMAC-SHA256, or undefined if it is anything else.
 * Nothing is parsed before the signature is found right: what is parsed is what some process of ours wrote.
 */
export function openToken(
  key: KeyObject,
  token: string,
): { header: TokenPart; payload: TokenPart } | undefined {
  const end = token.lastIndexOf('.')
  if (!isSame(token.slice(end + 1), signature(key, token.slice(0, Math.max(end, 0))))) return undefined
  const [header, payload] = token.split('.', 2).map(decode)
  const isOurs = header?.['alg'] === 'HS256' && header['crit'] === undefined && payload !== undefined
  return isOurs ? { header, payload } : undefined
}

/** Returns the header of a JWT without checking anything else, or undefined if the text is no JWT. */
export function peekHeader(token: string): TokenPart | undefined {
  return decode(token.slice(0, Math.max(token.indexOf('.'), 0)))
}

function signature(key: KeyObject, signed: string): string {
  return createHmac('sha256', key).update(signed).digest('base64url')
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function encode(part: TokenPart): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function decode(text: string): TokenPart | undefined {
  try {
    const part: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return typeof part === 'object' && part !== null ? (part as TokenPart) : undefined
  } catch {
    return undefined
  }
}
