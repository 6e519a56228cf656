import { type Api, startApi } from '@rookery/api'
import type { Config } from '@rookery/config'
import { openFirehose, registerSubscribeRepos } from '@rookery/firehose'
import { openSequencer } from '@rookery/sequencer'
import type { Logger } from '@rookery/telemetry'
import { openWorker } from '@rookery/worker'

/**
 * Runs every role in one process, on one public port and one internal port. The roles share nothing but the process:
 * each has its own connections and works exactly as on its own. They stop in the order of the flow, so that what the
 * last request wrote is still numbered and its jobs still get their turn.
 */
export async function startStandalone(config: Config, log: Logger): Promise<Api> {
  await using stack = new AsyncDisposableStack()
  const sequencer = stack.use(await openSequencer(config, log.child({ part: 'sequencer' })))
  const worker = stack.use(await openWorker(config, log.child({ part: 'worker' })))
  const firehose = stack.use(await openFirehose(config, log.child({ part: 'firehose' })))
  const api = stack.use(
    await startApi(config, log.child({ part: 'api' }), {
      register: (app) => registerSubscribeRepos(app, firehose.deps),
      drain: (app) => firehose.drain(app),
      notReady: async () => (await sequencer.notReady()) ?? worker.notReady(),
    }),
  )
  const owned = stack.move()
  return {
    port: api.port,
    internalPort: api.internalPort,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
