/**
 * Runs one part of the reference in a process of its own: `pds` or `plc`, from the folder it was installed into. Ends
 * with the process that started it. Arguments: the folder, the part, the port.
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What of the two packages is used. */
type Listener = { listen(port: number, address: string): Server }
type PdsModule = {
  PDS: { fromEnv(): Promise<{ app: Listener; ctx: { sequencer: { start(): Promise<void> } } }> }
}
type PlcModule = {
  Database: { mock(): unknown }
  PlcServer: { create(options: { db: unknown; port: number }): { app: Listener } }
}

const [dir = '', part = '', portText = ''] = process.argv.slice(2)
const port = Number(portText)
process.once('disconnect', () => process.exit(0))

// NOTE: the packages' own `start` would listen on every address of the machine.
let server: Server
if (part === 'plc') {
  const { Database, PlcServer } = await load<PlcModule>('@did-plc/server')
  server = PlcServer.create({ db: Database.mock(), port }).app.listen(port, '127.0.0.1')
} else {
  const { PDS } = await load<PdsModule>('@atproto/pds')
  const { app, ctx } = await PDS.fromEnv()
  await ctx.sequencer.start()
  server = app.listen(port, '127.0.0.1')
  server.keepAliveTimeout = 90_000
}
if (!server.listening) await once(server, 'listening')
process.send?.('listening')

async function load<T>(name: string): Promise<T> {
  const require = createRequire(join(dir, 'package.json'))
  return (await import(pathToFileURL(require.resolve(name)).href)) as T
}
