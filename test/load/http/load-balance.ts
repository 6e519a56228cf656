import { Connection, type Request, type Response } from './connection.ts'
import type { System } from '../systems/system.ts'
import { BenchError } from '../bench-error.ts'

/** Opens connections, the n-th to the n-th server in turn. */
export function connections(system: System, count: number): Connection[] {
  const servers = system.servers()
  return Array.from({ length: count }, (_, n) => {
    const server = servers[n % servers.length]
    if (server === undefined) throw new BenchError(`${system.name} has no server that answers requests`)
    return new Connection(server)
  })
}

/** Sends a request and returns its body as JSON. @throws {BenchError} if the answer is not a success. */
export async function callJson<T>(connection: Connection, request: Request): Promise<T> {
  const response = await connection.send(request)
  if (response.status !== 200) throw new BenchError(failureText(request, response))
  return (response.body.length === 0 ? undefined : JSON.parse(response.body.toString())) as T
}

/** Says what was asked and what came instead of a success. */
export function failureText(request: Request, response: Response): string {
  const path = request.path.split('?')[0]
  return `${request.method} ${path} answered ${response.status}: ${response.body.toString().slice(0, 300)}`
}

/** Does `work` for each item, `concurrency` at a time, each with a connection of its own. */
export async function forEach<T>(
  options: { system: System; items: Iterable<T>; concurrency: number },
  work: (item: T, connection: Connection) => Promise<void>,
): Promise<void> {
  const items = options.items[Symbol.iterator]()
  const pool = connections(options.system, options.concurrency)
  const lane = async (connection: Connection) => {
    for (let next = items.next(); next.done !== true; next = items.next()) await work(next.value, connection)
  }
  try {
    await Promise.all(pool.map(lane))
  } finally {
    for (const connection of pool) connection[Symbol.dispose]()
  }
}
