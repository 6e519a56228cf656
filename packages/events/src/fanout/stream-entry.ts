import { assert } from '@rookery/std'

/** An entry of the Redis stream. */
export type StreamEntry = {
  seq: number
  /** The seq that precedes it in the log. */
  prevSeq: number
  hostId: number
  frame: Buffer
}

/** What XREAD answers for streams: each with its entries, an id and fields. */
type StreamReply = [stream: Buffer, entries: [id: Buffer, fields: Buffer[]][]][]

/**
 * Returns the entries of an XREAD reply as `EventPublisher` wrote them; none if the reply is empty.
 *
 * @throws {AssertionError} if the entries are not of that shape: another program writes to the stream.
 */
export function parseStreamReply(reply: StreamReply | null): StreamEntry[] {
  const [, entries] = reply?.[0] ?? [undefined, []]
  return entries.map(([id, fields]) => {
    const [p, prevSeq, h, hostId, f, frame] = fields
    assert(
      fields.length === 6 && isField(p, 'p') && isField(h, 'h') && isField(f, 'f') && frame,
      'stream entries are those of the publisher',
    )
    return { seq: Number.parseInt(String(id), 10), prevSeq: Number(prevSeq), hostId: Number(hostId), frame }
  })
}

function isField(name: Buffer | undefined, expected: string): boolean {
  return name?.toString('latin1') === expected
}
