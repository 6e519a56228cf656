import { parseStartOptions, startHelp } from './flags.ts'
import { SetUpError } from './set-up-error.ts'

// NOTE: whoever read the output may be gone before this process has taken everything down.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const [command, ...args] = process.argv.slice(2)
try {
  if (command === 'start') {
    const options = parseStartOptions(args, process.env)
    if (options.help) process.stdout.write(startHelp())
    else await (await import('./start.ts')).start(options)
  } else if (command === 'test') {
    const { runTests } = await import('./run-tests.ts')
    process.exitCode = (await runTests(args)) ? 0 : 1
  } else {
    throw new SetUpError(`unknown command ${command}: expected start or test`)
  }
} catch (error) {
  if (!(error instanceof SetUpError)) throw error
  console.error(`[set-up] ${error.message}`)
  process.exitCode = 1
}
// The channel to bootstrap.mjs only tells of its death; it must not keep a finished process alive.
process.channel?.unref()
