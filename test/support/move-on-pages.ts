/** Moves an account to Rookery as somebody does who has a browser and no app: on the pages below /migrate. */
import { AtpAgent } from '@atproto/api'
import { must } from '@rookery/std'
import { expect } from 'vitest'

import { type Peer, type Resident, mailedToken, mailsTo } from './peer.ts'
import { until } from './until.ts'

/** Moves an account; a worker of the destination fetches what it has. It is active there then. */
export async function moveOnPages(
  from: Resident,
  { peer, handle }: { peer: Peer; handle: string },
): Promise<Resident> {
  const { did, email } = from
  const password = `a new password of ${handle}`
  const visitor = new FormVisitor(peer.url)
  await visitor.open('/migrate')
  await visitor.submit('/migrate/find', { name: did })
  expect(visitor.body).toContain(new URL(from.peer.url).host)
  await visitor.submit('/migrate/begin', { oldPassword: from.password, oldCode: '', handle, email, password })
  await until(
    async () => {
      await visitor.open('/migrate/here')
      expect(visitor.body).not.toContain('Your account could not be fetched')
      return visitor.body.includes('Everything is here')
    },
    { what: 'the account to be fetched', timeoutMs: 60_000 },
  )
  const mailsBefore = (await mailsTo(from.peer, email)).length
  await visitor.submit('/migrate/here/code')
  const code = await mailedToken(from.peer, email, mailsBefore)
  await visitor.submit('/migrate/here/finish', { code })
  expect(visitor.body).toContain('Your account lives here now.')
  const agent = new AtpAgent({ service: peer.url })
  await agent.login({ identifier: did, password })
  return { ...from, peer, agent, password }
}

/** A browser without scripts, as far as forms need one. */
class FormVisitor {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()
  body = ''

  constructor(url: string) {
    this.#origin = new URL(url).origin
  }

  async open(path: string): Promise<void> {
    await this.#send(path, { method: 'GET' })
  }

  /** Sends the form of the page that goes to `action`, with what is hidden in it. */
  async submit(action: string, fields: Record<string, string> = {}): Promise<void> {
    const form = must(this.body.split('<form').find((text) => text.includes(`action="${action}"`)))
    const inputs = form.split('</form>', 1)[0]!.matchAll(/type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"/g)
    const hidden = Object.fromEntries([...inputs].map(([, name, value]) => [name!, value!]))
    const body = new URLSearchParams({ ...hidden, ...fields })
    await this.#send(action, { method: 'POST', body, headers: { origin: this.#origin } })
  }

  async #send(path: string, request: RequestInit): Promise<void> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { 'accept-language': 'en', cookie, ...(request.headers as Record<string, string>) }
    const url = new URL(path, this.#origin)
    const answer = await fetch(url, { ...request, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = must(/^([^=]+)=([^;]*)/.exec(line))
      this.#cookies.set(must(name), must(value))
    }
    this.body = await answer.text()
    const location = answer.headers.get('location')
    if (location !== null) return this.open(location)
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${this.body}`)
  }
}
