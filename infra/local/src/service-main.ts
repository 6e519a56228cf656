/** One of the stack's own small servers in a process of its own: `service-main.ts <name> <options as JSON>`. */
import { startMailCatcher } from './mail-catcher.ts'
import { startPlc } from './plc.ts'
import { startS3Emulator } from './s3-emulator/start-s3-emulator.ts'

const [name, json = '{}'] = process.argv.slice(2)
const options: unknown = JSON.parse(json)

await using service = await startService()
await new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve))
await service[Symbol.asyncDispose]()
process.exit(0)

function startService(): Promise<AsyncDisposable> {
  if (name === 'plc') return startPlc(options as Parameters<typeof startPlc>[0])
  if (name === 'mail') return startMailCatcher(options as Parameters<typeof startMailCatcher>[0])
  if (name === 's3') return startS3Emulator(options as Parameters<typeof startS3Emulator>[0])
  throw new Error(`there is no service ${name}`)
}
