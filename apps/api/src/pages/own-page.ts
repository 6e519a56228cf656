import { toXrpcError, XrpcError } from '@rookery/http'
import { DomainError } from '@rookery/std'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Charge, RateLimiter } from '../limits/rate-limiter.ts'
import { alertOf, sentenceOf } from './alert.ts'
import { sendPage } from './layout.ts'
import { type Html, markup } from './markup.ts'
import { navOf } from './nav.ts'
import { type SignedIn, type VisitDeps, fieldOf, formOf, signedInOf, visitOf } from './visit.ts'

export type OwnPageDeps = VisitDeps & {
  /** Undefined if nothing is limited. */
  signInLimiter: RateLimiter | undefined
}

/** A page that somebody who is signed in asked for. */
type PageCall = { request: FastifyRequest; reply: FastifyReply; who: SignedIn }

/** A form of it that was sent. */
export type ActionCall = PageCall & { form: Readonly<Record<string, string | undefined>> }

/** What a form does. */
export type Action = {
  /** Does it; undefined unless it has answered with a page. */
  run: (call: ActionCall) => Promise<FastifyReply | undefined | void>
  /** What it takes from rate limits. */
  charges?: (call: ActionCall) => Charge[]
  /** What is said afterwards. */
  done?: string
}

/** A page of an account's owner. */
export type OwnPage = {
  path: string
  title: string
  content: (call: PageCall) => Promise<PageContent>
  /** By the rest of the path that a form is sent to. */
  actions: Readonly<Record<string, Action>>
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
export function registerOwnPage(app: FastifyInstance, deps: OwnPageDeps, page: OwnPage): void {
  const { path } = page
  const actions = new Map(Object.entries(page.actions))
  app.get(path, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const { did, done } = request.query as { did?: unknown; done?: unknown }
    const who = await signedInOf(deps, request, visit, did)
    if (who === undefined) return askSignIn(reply, path)
    const said = typeof done === 'string' ? actions.get(done)?.done : undefined
    return show(page, { request, reply, who }, { done: said })
  })
  if (actions.size === 0) return
  app.post<{ Params: { '*': string } }>(`${path}/*`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const name = request.params['*']
    const action = actions.get(name)
    if (action === undefined) throw new XrpcError(404, 'NotFound', 'There is no such page')
    const who = await signedInOf(deps, request, visit, fieldOf(form, 'did'))
    if (who?.isRecent !== true) return askSignIn(reply, path, who)
    const call = { request, reply, who, form }
    const charges = action.charges?.(call)
    if (charges !== undefined)
      await deps.signInLimiter?.charge(request, reply, charges, who.account.tenant_id)
    try {
      return (await action.run(call)) ?? backTo(path, call, name)
    } catch (error) {
      return show(page, call, { alert: refusalOf(error) })
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
  // These pages speak English alone so far.
  const look = { ...who.look, locale: 'en' as const }
  const nav = navOf(path, { did: who.account.did, locale: look.locale })
  return sendPage(reply, { look, title, body, nav, isLive: isLive === true }, status)
}

async function show(
  { path, title, content }: OwnPage,
  { request, reply, who }: PageCall,
  { done, alert }: { done?: string | undefined; alert?: string | Html },
): Promise<FastifyReply> {
  const { body, isLive } = await content({ request, reply, who })
  const said = done !== undefined && markup`<p class="done" role="status">${done}</p>`
  const page = { path, title, body: markup`${alertOf(alert)}${said}${body}`, isLive: isLive === true }
  return sendOwnPage(reply, who, page, alert === undefined ? 200 : 400)
}

function backTo(path: string, { reply, who }: PageCall, done: string): FastifyReply {
  return reply.redirect(`${path}?${new URLSearchParams({ did: who.account.did, done }).toString()}`, 303)
}

/** Returns what an error of somebody's doing says; throws any other. */
function refusalOf(error: unknown): string | Html {
  const answer = error instanceof DomainError ? toXrpcError(error) : error
  if (!(answer instanceof XrpcError) || answer.status >= 500) throw error
  return sentenceOf(error, { locale: 'en' })
}
