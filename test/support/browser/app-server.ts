import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { build } from 'vite'

/** A server of apps on a loopback address: `/app` is one that runs in the browser, all else an empty page. */
export type AppServer = AsyncDisposable & { readonly url: string }

/** Bundles the app and serves it on 127.0.0.1. */
export async function startAppServer(settings: { plcUrl: string }): Promise<AppServer> {
  const script = await bundle(join(import.meta.dirname, 'browser-app.ts'))
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]
    if (path === '/app.js') {
      response.setHeader('content-type', 'text/javascript')
      return response.end(script)
    }
    response.setHeader('content-type', 'text/html; charset=utf-8')
    const isApp = path === '/app'
    return response.end(isApp ? appPage(settings) : '<!doctype html><title>App</title>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function appPage(settings: object): string {
  return `<!doctype html><title>App</title><script>globalThis.settings = ${JSON.stringify(settings)}</script>
    <script type="module" src="/app.js"></script>`
}

/** Returns a module and all that it imports as one script for browsers. */
async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'app' } },
  })
  const [output] = [built].flat()
  if (output === undefined || !('output' in output)) throw new Error('nothing was bundled')
  return output.output[0].code
}
