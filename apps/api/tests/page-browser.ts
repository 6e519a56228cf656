import type { InjectOptions } from 'fastify'

import type { TestApi } from './test-api.ts'

export type PageAnswer = { status: number; body: string; bytes: Buffer; headers: Record<string, unknown> }

/** A browser without scripts: cookies, links and forms; each request goes to another pod. */
export class PageBrowser {
  readonly #api: TestApi
  readonly host: string
  readonly cookies = new Map<string, string>()
  page: PageAnswer = { status: 0, body: '', bytes: Buffer.alloc(0), headers: {} }
  #pod = 0

  constructor(api: TestApi, host = 'one.test') {
    this.#api = api
    this.host = host
  }

  /** Opens a page and what it redirects to. */
  async open(url: string): Promise<PageAnswer> {
    return this.#follow(await this.inject({ method: 'GET', url }))
  }

  /** Fills in the form that is sent to `action` and sends it, with what is hidden in it. */
  async submit(action: string, fields: Record<string, string> = {}): Promise<PageAnswer> {
    return this.#follow(await this.post(action, { ...this.hiddenFields(action), ...fields }))
  }

  /** What is hidden in the form of the page that is sent to `action`. */
  hiddenFields(action: string): Record<string, string> {
    const form = this.page.body.split('<form ').find((text) => text.includes(`action="${action}"`))
    if (form === undefined) throw new Error(`no form for ${action} in: ${this.page.body}`)
    const inputs = form.split('</form>', 1)[0]!.matchAll(/type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"/g)
    return Object.fromEntries([...inputs].map(([, name, value]) => [name, unescapeHtml(value ?? '')]))
  }

  /** Sends a form as it is. */
  post(
    url: string,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<PageAnswer> {
    return this.inject({
      method: 'POST',
      url,
      payload: new URLSearchParams(fields).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: `https://${this.host}`,
        ...headers,
      },
    })
  }

  /** Signs in with the password. */
  async signIn(username: string, password: string, next = '/security'): Promise<PageAnswer> {
    await this.open(`/sign-in?next=${encodeURIComponent(next)}`)
    return this.submit('/sign-in', { username, password })
  }

  async inject(request: InjectOptions): Promise<PageAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#api.pods[this.#pod++ % this.#api.pods.length]!.app.inject({
      ...request,
      headers: { host: this.host, 'user-agent': 'page browser', cookie, ...request.headers },
    })
    for (const { name, value } of answer.cookies) this.cookies.set(name, value)
    const { statusCode: status, body, rawPayload: bytes, headers } = answer
    return { status, body, bytes, headers }
  }

  async #follow(answer: PageAnswer): Promise<PageAnswer> {
    const { location } = answer.headers
    this.page = typeof location === 'string' ? await this.open(location) : answer
    return this.page
  }
}

/** Returns the text that HTML writes between quotes. */
export function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
