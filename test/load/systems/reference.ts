/** The reference PDS and its PLC directory, each a process of its own. */
import { join } from 'node:path'

import { freePort } from '@rookery/local'

import type { ReferenceInstall } from '../../support/reference/install-reference.ts'
import { startReference as startPds, startReferencePlc } from '../../support/reference/start-reference.ts'
import { diskBytes } from './disk-bytes.ts'
import type { System } from './system.ts'

/** Life of an access token: fixed in its code. */
const accessTokenMs = 2 * 60 * 60 * 1_000

/** Starts the reference in a new folder. */
export async function startReference(options: { install: ReferenceInstall; dir: string }): Promise<System> {
  const { dir } = options
  await using starting = new AsyncDisposableStack()
  const plcPort = await freePort()
  const plc = await startReferencePlc({ ...options, port: plcPort })
  starting.defer(() => plc.stop())
  const pds = starting.use(await startPds({ ...options, plcUrl: `http://127.0.0.1:${plcPort}` }))
  const server = { port: pds.port, host: `127.0.0.1:${pds.port}` }
  const running = starting.move()
  return {
    name: 'reference',
    handleSuffix: '.test',
    accessTokenMs,
    firehoseRole: 'pds',
    servers: () => [server],
    firehoses: () => [server],
    processes: () => [{ role: 'pds', pid: pds.pid }],
    bystanders: () => [{ role: 'plc', pid: plc.pid }],
    restartServers: () => pds.restart(),
    restartFirehoses: () => pds.restart(),
    storedBytes: () => Promise.resolve(diskBytes(dir) - diskBytes(join(dir, 'blobs'))),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
