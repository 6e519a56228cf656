import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { ResponseParser } from './response-parser.ts'

const answers = {
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world',
  chunked:
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;note=x\r\n world\r\n0\r\n\r\n',
  interim: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world',
}

function parse(text: string, cuts: readonly number[], keptBytesMax = 100): ResponseParser {
  const parser = new ResponseParser(keptBytesMax)
  const bytes = Buffer.from(text)
  const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b)
  let start = 0
  for (const end of ends) {
    parser.take(bytes.subarray(start, end))
    start = end
  }
  return parser
}

describe('ResponseParser', () => {
  test.each(Object.entries(answers))('reads an answer (%s) however it is cut', (_, text) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: text.length })), (cuts) => {
        const parser = parse(text, cuts)
        expect(parser.isDone).toBe(true)
        expect(parser.status).toBe(200)
        expect(parser.bytes).toBe(11)
        expect(parser.body().toString()).toBe('hello world')
      }),
    )
  })

  test('is not done before the last byte', () => {
    for (const text of Object.values(answers)) expect(parse(text.slice(0, -1), []).isDone).toBe(false)
  })

  test('counts all bytes and keeps the first', () => {
    const parser = parse(answers.chunked, [], 3)
    expect(parser.bytes).toBe(11)
    expect(parser.body().toString()).toBe('hel')
  })

  test('reads an answer without a body', () => {
    const parser = parse('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n', [])
    expect(parser.isDone).toBe(true)
    expect(parser.closes).toBe(true)
  })
})
