import { type RateOverrides, rateOverridesText } from '@rookery/config'
import { dayMs, hourMs, minuteMs, secondMs } from '@rookery/std'
import { InvalidArgumentError } from 'commander'

/** Parses a whole number within bounds, both inclusive. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      const above = max === Number.MAX_SAFE_INTEGER ? ' on' : ` to ${max}`
      throw new InvalidArgumentError(`expected a whole number from ${min}${above}`)
    }
    return value
  }
}

const unitsMs = { s: secondMs, m: minuteMs, h: hourMs, d: dayMs }

/** Parses a time such as `90s`, `15m`, `12h` or `30d`; returns milliseconds. */
export function time(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('expected a time such as 15m, 12h or 30d')
  return Number(count) * unitsMs[unit as keyof typeof unitsMs]
}

/** Parses a number from 0 to 1. */
export function fraction(text: string): number {
  if (!/^(0(\.\d+)?|1(\.0+)?)$/.test(text)) throw new InvalidArgumentError('expected a number from 0 to 1')
  return Number(text)
}

/** Parses `on` or `off`. */
export function onOff(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('expected on or off')
  return text === 'on'
}

/** Stands for an option that was given as `none`: commander replaces null by empty text. */
export const none = Symbol('none')

/** Parses `none` as such and anything else with the parser. */
export function orNone<T>(parse: (text: string) => T): (text: string) => T | typeof none {
  return (text) => (text === 'none' ? none : parse(text))
}

/** Parses texts that commas separate; empty text is none. */
export function commaSeparated(text: string): string[] {
  return text === '' ? [] : text.split(',').map((part) => part.trim())
}

/** Parses `<did>,<url>`. */
export function service(text: string): { did: string; url: string } {
  const [did, url, ...rest] = text.split(',')
  if (did === undefined || !did.startsWith('did:') || url === undefined || rest.length > 0) {
    throw new InvalidArgumentError('expected <did>,<url>')
  }
  return { did, url }
}

/** Parses `<did>,<url>[,<cdn-pattern>]`; the pattern may hold commas. */
export function appView(text: string): { did: string; url: string; cdnUrlPattern?: string } {
  const [did = '', url = '', ...pattern] = text.split(',')
  const cdnUrlPattern = pattern.join(',')
  return { ...service(`${did},${url}`), ...(cdnUrlPattern === '' ? {} : { cdnUrlPattern }) }
}

/** Parses `<bucket>=<points>/<seconds>` or `<bucket>=off`, separated by commas. */
export function rateLimits(text: string): RateOverrides {
  const parsed = rateOverridesText.safeParse(text)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? 'expected <bucket>=<points>/<seconds>')
}

/** Parses one or several ids. */
export function ids(text: string, previous: number[] = []): number[] {
  return [...previous, wholeNumber(1)(text)]
}
