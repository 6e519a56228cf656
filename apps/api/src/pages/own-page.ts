import { XrpcError } from '@rookery/http'
import type { Locale } from '@rookery/tenants'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Charge, RateLimiter } from '../limits/rate-limiter.ts'
import { alertOf, refusalOf } from './alert.ts'
import { sendPage } from './layout.ts'
import { type Html, markup } from './markup.ts'
import { navOf } from './nav.ts'
import { type SignedIn, type VisitDeps, fieldOf, formOf, signedInOf, visitOf } from './visit.ts'

export type OwnPageDeps = VisitDeps & {
  /** Undefined if nothing is limited. */
  signInLimiter: RateLimiter | undefined
}

/** Who reads a page, and what it says in the reader's language. */
export type Reader<Texts> = SignedIn & { texts: Texts }

/** A page that somebody who is signed in asked for. */
type PageCall<Texts> = { request: FastifyRequest; reply: FastifyReply; who: Reader<Texts> }

/** A form of it that was sent. */
export type ActionCall<Texts> = PageCall<Texts> & { form: Readonly<Record<string, string | undefined>> }

/** What a form does. */
export type Action<Texts> = {
  /** Does it; undefined unless it has answered with a page. */
  run: (call: ActionCall<Texts>) => Promise<FastifyReply | undefined | void>
  /** What it takes from rate limits. */
  charges?: (call: ActionCall<Texts>) => Charge[]
  /** What is said afterwards. */
  done?: (texts: Texts) => string
}

/** A page of an account's owner. */
type OwnPage<Texts> = {
  path: string
  texts: Readonly<Record<Locale, Texts>>
  content: (call: PageCall<Texts>) => Promise<PageContent>
  /** By the rest of the path that a form is sent to. */
  actions: Readonly<Record<string, Action<Texts>>>
}

type PageContent = {
  body: Html
  /** Whether what is marked with `data-live` is kept up to date. */
  isLive?: boolean
}

/**
 * Registers a page of an account's owner: everybody else is led to the sign-in page. Its forms are taken from our own
 * origin and this browser only, want a sign-in of the last minutes, and lead back to the page; what they refuse is said
 * there.
 */
export function registerOwnPage<Texts extends { title: string }>(
  app: FastifyInstance,
  deps: OwnPageDeps,
  page: OwnPage<Texts>,
): void {
  const { path } = page
  const readerOf = (who: SignedIn): Reader<Texts> => ({ ...who, texts: page.texts[who.look.locale] })
  const actions = new Map(Object.entries(page.actions))
  app.get(path, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const { did, done } = request.query as { did?: unknown; done?: unknown }
    const owner = await signedInOf(deps, request, visit, did)
    if (owner === undefined) return askSignIn(reply, path)
    const who = readerOf(owner)
    const said = typeof done === 'string' ? actions.get(done)?.done?.(who.texts) : undefined
    return show(page, { request, reply, who }, { done: said })
  })
  if (actions.size === 0) return
  app.post<{ Params: { '*': string } }>(`${path}/*`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const name = request.params['*']
    const action = actions.get(name)
    if (action === undefined) throw new XrpcError(404, 'NotFound', 'There is no such page')
    const owner = await signedInOf(deps, request, visit, fieldOf(form, 'did'))
    if (owner?.isRecent !== true) return askSignIn(reply, path, owner)
    const who = readerOf(owner)
    const call = { request, reply, who, form }
    const charges = action.charges?.(call)
    if (charges !== undefined)
      await deps.signInLimiter?.charge(request, reply, charges, who.account.tenant_id)
    try {
      return (await action.run(call)) ?? backTo(path, call, name)
    } catch (error) {
      return show(page, call, { alert: refusalOf(error, who.look) })
    }
  })
}

/** Leads to the sign-in page, and from there to the path. */
export function askSignIn(reply: FastifyReply, path: string, who?: SignedIn): FastifyReply {
  const name = who === undefined ? {} : { username: who.account.handle ?? who.account.did }
  return reply.redirect(`/sign-in?${new URLSearchParams({ next: path, ...name }).toString()}`, 303)
}

/** Answers with a page of the account's owner. */
function sendOwnPage(
  reply: FastifyReply,
  who: SignedIn,
  page: PageContent & { path: string; title: string },
  status = 200,
): FastifyReply {
  const { path, title, body, isLive } = page
  const { look } = who
  const nav = navOf(path, { did: who.account.did, locale: look.locale })
  return sendPage(reply, { look, title, body, nav, isLive: isLive === true }, status)
}

async function show<Texts extends { title: string }>(
  { path, content }: OwnPage<Texts>,
  { request, reply, who }: PageCall<Texts>,
  { done, alert }: { done?: string | undefined; alert?: string | Html },
): Promise<FastifyReply> {
  const { body, isLive } = await content({ request, reply, who })
  const said = done !== undefined && markup`<p class="done" role="status">${done}</p>`
  const { title } = who.texts
  const page = { path, title, body: markup`${alertOf(alert)}${said}${body}`, isLive: isLive === true }
  return sendOwnPage(reply, who, page, alert === undefined ? 200 : 400)
}

function backTo(
  path: string,
  { reply, who }: Pick<PageCall<unknown>, 'reply' | 'who'>,
  done: string,
): FastifyReply {
  return reply.redirect(`${path}?${new URLSearchParams({ did: who.account.did, done }).toString()}`, 303)
}
