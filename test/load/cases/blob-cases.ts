import { randomBytes } from 'node:crypto'

import type { Request } from '../http/connection.ts'
import { peakMemoryMb, resetPeakMemory } from '../process-stats.ts'
import { type BenchCase, type HttpCase, httpCase, roundRobin } from './bench-case.ts'

const megabyte = 1024 * 1024

/** Uploads and downloads of one and of fifty megabytes. */
export const blobCases: BenchCase[] = [
  httpCase(upload({ name: 'uploadBlob1M', bytes: megabyte, concurrency: 16 })),
  httpCase(download({ name: 'getBlob1M', bytes: megabyte, concurrency: 16 })),
  withPeakMemory(
    httpCase({ ...upload({ name: 'uploadBlob50M', bytes: 50 * megabyte, concurrency: 2 }), operations: 6 }),
  ),
  withPeakMemory(
    httpCase({ ...download({ name: 'getBlob50M', bytes: 50 * megabyte, concurrency: 2 }), operations: 12 }),
  ),
]

type Shape = { name: string; bytes: number; concurrency: number }

function upload({ name, bytes, concurrency }: Shape): HttpCase {
  return {
    name,
    params: { bytes, concurrency },
    isQuick: bytes === megabyte,
    prepare: async ({ fixtures }) => {
      const account = roundRobin(await fixtures.accounts(16))
      // Only the start differs from blob to blob: the rest is sent from the same memory.
      const rest = randomBytes(bytes - 16)
      return () => ({ request: uploadRequest(account().authorization, [randomBytes(16), rest]) })
    },
  }
}

function uploadRequest(authorization: string, body: Buffer[]): Request {
  const head = `${authorization}content-type: application/octet-stream\r\n`
  return { method: 'POST', path: '/xrpc/com.atproto.repo.uploadBlob', head, body }
}

function download({ name, bytes, concurrency }: Shape): HttpCase {
  return {
    name,
    params: { bytes, concurrency },
    isQuick: bytes === megabyte,
    prepare: async ({ fixtures }) => {
      const { account, cid } = await fixtures.blob(bytes)
      const path = `/xrpc/com.atproto.sync.getBlob?did=${account.did}&cid=${cid}`
      return () => ({ request: { method: 'GET', path } })
    },
  }
}

/** Adds how far the memory of the processes that answer has risen during the case. */
function withPeakMemory(inner: BenchCase): BenchCase {
  return {
    ...inner,
    measure: async (context) => {
      const servers = context.system.processes().filter(({ role }) => role === 'api' || role === 'pds')
      const before = resetPeakMemory(servers)
      const measurement = await inner.measure(context)
      const memoryRiseMb = peakMemoryMb(servers) - before
      return { ...measurement, notes: { ...measurement.notes, memoryRiseMb } }
    },
  }
}
