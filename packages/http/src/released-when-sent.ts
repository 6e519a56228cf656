import type { Readable, Writable } from 'node:stream'

import { releaseBytes } from '@rookery/std'

/**
 * Returns the stream, which from now on pipes in a way of its own: the memory of each chunk is given back as soon as
 * the socket has taken it. Fastify sends a stream by piping it, and looks after its errors itself.
 */
export function releasedWhenSent(body: Readable): Readable {
  const pipe = <T extends Writable>(answer: T): T => {
    body.on('data', (chunk: Buffer) => {
      const hasRoom = answer.write(chunk, () => releaseBytes(chunk))
      if (!hasRoom) body.pause()
    })
    answer.on('drain', () => body.resume())
    body.once('end', () => answer.end())
    return answer
  }
  return Object.assign(body, { pipe })
}
