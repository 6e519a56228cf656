import { randomBytes } from 'node:crypto'

import { AtpAgent } from '@atproto/api'
import { must } from '@rookery/std'

import { until } from '../until.ts'
import type { BrowserHost } from './global-setup.ts'
import { mailUrl } from './visitor.ts'

/** Somebody who has an account, or is about to. */
export type Person = { handle: string; email: string; password: string }

type Mail = { to: string[]; text: string }

/** Tokens of mails: two groups of five letters and digits. */
const tokenForm = /\b[A-Z2-7]{5}-[A-Z2-7]{5}\b/

/** Somebody whom the host does not know yet. */
export async function stranger(host: BrowserHost): Promise<Person> {
  const { data } = await new AtpAgent({ service: host.url }).com.atproto.server.describeServer()
  const name = `p${randomBytes(5).toString('hex')}`
  return {
    handle: `${name}${must(data.availableUserDomains[0])}`,
    email: `${name}@mail.example`,
    password: `${name} has a long password`,
  }
}

/** Somebody who has an account already. */
export async function resident(host: BrowserHost): Promise<Person & { did: string; agent: AtpAgent }> {
  const person = await stranger(host)
  const agent = new AtpAgent({ service: host.url })
  await agent.createAccount(person)
  return { ...person, agent, did: agent.assertDid }
}

/** Returns the token of the newest mail to an address that has one, other than those in `known`; waits for it. */
export function mailedToken({ email }: Person, known: readonly string[] = []): Promise<string> {
  return until(
    async () => {
      const mails = (await (await fetch(mailUrl)).json()) as Mail[]
      const token = mails
        .findLast(({ to, text }) => to.includes(email) && tokenForm.test(text))
        ?.text.match(tokenForm)?.[0]
      return token === undefined || known.includes(token) ? undefined : token
    },
    { what: `a token for ${email}` },
  )
}
