import { describe, expect, test } from 'vitest'

import { isUnchanged, parseRange } from './blob-conditions.ts'

const etag = '"bafkrei"'

describe('parseRange', () => {
  test.for([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=2-5', { start: 2, end: 5 }],
    ['bytes=2-', { start: 2, end: 9 }],
    ['bytes=2-99', { start: 2, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-99', { start: 0, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-20', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=a-b', undefined],
    ['items=0-1', undefined],
    [`bytes=${'9'.repeat(30)}-`, undefined],
    [undefined, undefined],
  ] as const)('reads %s of ten bytes as %j', ([range, expected]) => {
    expect(parseRange(range === undefined ? {} : { range }, { etag, size: 10 })).toEqual(expected)
  })

  test('answers the whole when If-Range names another entity', () => {
    const of = (ifRange: string) =>
      parseRange({ range: 'bytes=0-1', 'if-range': ifRange }, { etag, size: 10 })
    expect(of(etag)).toEqual({ start: 0, end: 1 })
    expect(of('"other"')).toBeUndefined()
    expect(of('Wed, 21 Oct 2015 07:28:00 GMT')).toBeUndefined()
  })

  test('finds no range in an empty blob', () => {
    expect(parseRange({ range: 'bytes=0-' }, { etag, size: 0 })).toBe('unsatisfiable')
    expect(parseRange({ range: 'bytes=-5' }, { etag, size: 0 })).toBe('unsatisfiable')
  })
})

describe('isUnchanged', () => {
  test.for([
    [etag, true],
    [`W/${etag}`, true],
    [`"other", ${etag}`, true],
    ['*', true],
    ['"other"', false],
    [undefined, false],
  ] as const)('takes %s for %j', ([header, expected]) => {
    expect(isUnchanged(header, etag)).toBe(expected)
  })
})
