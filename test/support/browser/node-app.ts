import {
  NodeOAuthClient,
  type NodeSavedSession,
  type NodeSavedState,
  type OAuthSession,
} from '@atproto/oauth-client-node'
import type { Page } from 'playwright-core'

import type { BrowserHost } from './global-setup.ts'
import { appUrl, plcUrl } from './visitor.ts'

const redirect = `${appUrl}/callback` as const

/** An app on a server, with the official client, that somebody uses with a browser. */
export class NodeApp {
  /** Ports of the processes that answered it. */
  readonly pods = new Set<string>()
  readonly #client: NodeOAuthClient

  constructor(host: BrowserHost, scope: string) {
    this.#client = new NodeOAuthClient({
      clientMetadata: {
        client_id: `http://localhost?${new URLSearchParams({ redirect_uri: redirect, scope }).toString()}`,
        redirect_uris: [redirect],
        scope,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        dpop_bound_access_tokens: true,
      },
      fetch: async (input, init) => {
        const answer = await fetch(input, init)
        const pod = answer.headers.get('x-served-by')
        if (pod !== null) this.pods.add(pod)
        return answer
      },
      allowHttp: true,
      plcDirectoryUrl: plcUrl,
      handleResolver: host.url,
      requestLock: async (_name, work) => work(),
      stateStore: storeOf(new Map<string, NodeSavedState>()),
      sessionStore: storeOf(new Map<string, NodeSavedSession>()),
    })
  }

  /** Sends the browser to sign in: at a host, or as somebody. */
  async begin(page: Page, input: string): Promise<void> {
    await page.goto((await this.#client.authorize(input)).href)
  }

  /** Returns the session, once the browser has come back. */
  async session(page: Page): Promise<OAuthSession> {
    await page.waitForURL(`${redirect}?**`)
    return (await this.#client.callback(new URL(page.url()).searchParams)).session
  }

  /** Returns the session of somebody from what the app has kept. @throws {Error} if it has ended. */
  restore(did: string): Promise<OAuthSession> {
    return this.#client.restore(did)
  }
}

function storeOf<Value>(values: Map<string, Value>) {
  return {
    get: async (key: string) => values.get(key),
    set: async (key: string, value: Value) => void values.set(key, value),
    del: async (key: string) => void values.delete(key),
  }
}
