import { createSocket } from 'node:dgram'

/** A nameserver on loopback that answers TXT queries. */
export type TestNameserver = AsyncDisposable & {
  /** `<ip>:<port>`. */
  address: string
  /** TXT records by name, in lower case; other names do not exist. */
  records: Map<string, string[]>
  /** Names that were asked for. */
  queries: string[]
}

const headerBytes = 12
const typeTxt = 16
const nameError = 3

/** Starts a nameserver. */
export async function startTestNameserver(): Promise<TestNameserver> {
  const records = new Map<string, string[]>()
  const queries: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, { address, port }) => {
    const { name, end } = readName(query)
    queries.push(name)
    socket.send(answerOf(query.subarray(0, end + 4), records.get(name)), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    records,
    queries,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

/** Returns the name in the query's only question, and where it ends. */
function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = headerBytes
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

/** Returns the answer to a question: RFC 1035, one record per text. */
function answerOf(question: Buffer, texts: string[] | undefined): Buffer {
  const answer = Buffer.from(question)
  // A response, recursion desired and available.
  answer.writeUInt16BE(0x8180 | (texts === undefined ? nameError : 0), 2)
  answer.writeUInt16BE(1, 4)
  answer.writeUInt16BE(texts?.length ?? 0, 6)
  answer.writeUInt32BE(0, 8)
  const found = (texts ?? []).map((text) => {
    const data = Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'ascii')])
    const fields = Buffer.alloc(headerBytes)
    // The name is that of the question.
    fields.writeUInt16BE(0xc000 | headerBytes, 0)
    fields.writeUInt16BE(typeTxt, 2)
    fields.writeUInt16BE(1, 4)
    fields.writeUInt16BE(data.length, 10)
    return Buffer.concat([fields, data])
  })
  return Buffer.concat([answer, ...found])
}
