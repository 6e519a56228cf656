import { assert } from '@rookery/std'

import { type NumberedMessage, takeMessages } from '../event-batch.ts'

/** An entry of the Redis stream. */
export type StreamEntry = {
  /** The seq that precedes its first event in the log. */
  prevSeq: number
  events: NumberedMessage[]
}

/** What XREAD answers for streams: each with its entries, an id and fields. */
type StreamReply = [stream: Buffer, entries: [id: Buffer, fields: Buffer[]][]][]

/**
 * Returns the entries of an XREAD reply as `EventPublisher` wrote them; none if the reply is empty.
 *
 * @throws {AssertionError} if the entries are not of that shape: another version, or program, writes to the stream.
 */
export function parseStreamReply(reply: StreamReply | null): StreamEntry[] {
  const [, entries] = reply?.[0] ?? [undefined, []]
  return entries.map(([, fields]) => {
    const [p, prevSeq, e, events] = fields
    assert(
      fields.length === 4 && isField(p, 'p') && isField(e, 'e') && events,
      'stream entries are those of the publisher',
    )
    return { prevSeq: Number(prevSeq), events: takeMessages(events) }
  })
}

function isField(name: Buffer | undefined, expected: string): boolean {
  return name?.toString('latin1') === expected
}
