import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
  chromium,
} from 'playwright-core'
import { afterAll, inject } from 'vitest'

import type { BrowserHost } from './global-setup.ts'

let browser: Promise<Browser> | undefined
afterAll(async () => (await browser)?.close())

/** The hosts, each of another tenant. */
export const { hosts, mailUrl, plcUrl, appUrl } = inject('browserSetup')

/** Somebody with a browser that nobody used before, whose language is English. */
export class Visitor implements AsyncDisposable {
  readonly host: BrowserHost
  readonly page: Page
  /** Ports of the processes that answered. */
  readonly pods = new Set<string>()
  readonly #context: BrowserContext
  readonly #problems: string[] = []

  private constructor(host: BrowserHost, context: BrowserContext, page: Page) {
    this.host = host
    this.page = page
    this.#context = context
    context.on('response', (response) => {
      const pod = response.headers()['x-served-by']
      if (pod !== undefined) this.pods.add(pod)
    })
    page.on('pageerror', (error) => this.#problems.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' && message.text().includes('Content Security Policy')) {
        this.#problems.push(message.text())
      }
    })
  }

  static async at(host: BrowserHost, options: BrowserContextOptions = {}): Promise<Visitor> {
    browser ??= chromium.connect(inject('browserSetup').chromiumUrl)
    const context = await (await browser).newContext({ locale: 'en-US', reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(15_000)
    return new Visitor(host, context, await context.newPage())
  }

  /** Opens a page of the host. */
  async open(path: string): Promise<void> {
    await this.page.goto(new URL(path, this.host.url).href)
  }

  /** @throws {Error} if a script failed, or was refused by the page's own policy. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
    if (this.#problems.length > 0) throw new Error(`on the pages: ${this.#problems.join('\n')}`)
  }
}
