import type { DeviceAccount, Did } from '@atproto/oauth-provider/store'
import {
  type Account,
  AccountTakedownError,
  type FactorKind,
  FactorRequiredError,
  type PasswordHasher,
  checkPassword,
  isKnownBrowser,
  isTrustedDevice,
  passkeyRequest,
  signInWithPasskey,
} from '@rookery/accounts'
import { Grants, type GrantsDeps, answerPrompt } from '@rookery/oauth'
import { dayMs, minuteMs } from '@rookery/std'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { noteSignIn } from '../accounts/note-sign-in.ts'
import { openDomains } from '../accounts/open-domains.ts'
import { type SecondFactorDeps, passSecondFactor } from '../accounts/second-factor.ts'
import type { AccessDeps } from '../auth/access.ts'
import { clientKey } from '../limits/client-key.ts'
import { knownBrowserCharges, signInCharges } from '../limits/method-charges.ts'
import type { Charge, RateLimiter } from '../limits/rate-limiter.ts'
import { refusalOf } from './alert.ts'
import { type ChallengeUse, newChallenge, passkeyHostOf, useChallenge } from './challenges.ts'
import { type Html, markup } from './markup.ts'
import { sendPage } from './layout.ts'
import { nextPage } from './next-page.ts'
import { chooser, factorForm, passkeySignIn, passwordForm } from './sign-in-views.ts'
import { layoutTexts } from './texts/layout.ts'
import { type SignInTexts, signInTexts } from './texts/sign-in.ts'
import {
  type Visit,
  type VisitDeps,
  fieldOf,
  formOf,
  signedInAccounts,
  signedInOf,
  visitOf,
} from './visit.ts'

/** How long somebody may look for a code after the password was right, in milliseconds. */
const factorWaitMs = 10 * minuteMs

export type SignInPageDeps = VisitDeps &
  SecondFactorDeps &
  GrantsDeps &
  Pick<AccessDeps, 'admit'> & {
    passwords: PasswordHasher
    /** Undefined if nothing is limited. */
    signInLimiter: RateLimiter | undefined
  }

type Step = {
  request: FastifyRequest
  reply: FastifyReply
  visit: Visit
  next: string
  /** Whether the owner wants to stay signed in. */
  isKept: boolean
}

/** Registers the host's own sign-in page: with a password and a second factor of any kind, and without scripts. */
export function registerSignIn(app: FastifyInstance, deps: SignInPageDeps): void {
  app.get('/sign-in', async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const { next, username, choose } = request.query as {
      next?: unknown
      username?: unknown
      choose?: unknown
    }
    const name = typeof username === 'string' ? username.slice(0, 256) : ''
    const step = { request, reply, visit, next: nextPage(next), isKept: false }
    const signedIn = choose === 'yes' && isForApp(step.next) ? await signedInAccounts(visit) : []
    return askPassword(deps, step, { username: name, signedIn })
  })
  app.post('/sign-in', async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const step = stepOf({ request, reply, visit }, form)
    const username = fieldOf(form, 'username').trim()
    await deps.signInLimiter?.charge(request, reply, await chargesOf(deps, step, username))
    const login = { hostId: request.pdsHost.id, identifier: username }
    const account = await checkPassword(deps, login, form['password'] ?? '')
    if (account === undefined) return askPassword(deps, step, { username, alert: textsOf(step).wrong })
    return goOn(deps, step, { account, code: undefined })
  })
  app.post('/sign-in/continue', async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const step = stepOf({ request, reply, visit }, form)
    const who = await signedInOf(deps, request, visit, fieldOf(form, 'did'))
    if (who === undefined) return askPassword(deps, step, { username: '' })
    return leadOn(deps, step, { visit, account: who.account, prompts: ['select_account'] })
  })
  app.post('/sign-in/code', async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const step = stepOf({ request, reply, visit }, form)
    const { did = '', until = '', pending = '', code = '' } = form
    await deps.signInLimiter?.charge(request, reply, signInCharges(clientKey(request.ip), did))
    const isPending = deps.signedState.isMark(pending, 'factor', ...pendingParts(step, did, until))
    const account = await deps.accounts.findByDid({ hostId: request.pdsHost.id, did })
    if (!isPending || Number(until) < Date.now() || account === undefined) {
      return askPassword(deps, step, { username: '', alert: textsOf(step).late })
    }
    const { trustedBrowserMs } = await deps.policyOf(account)
    const isTrusted = form['trust'] === 'yes' && trustedBrowserMs > 0
    return goOn(deps, step, { account, code, trustMs: isTrusted ? trustedBrowserMs : undefined })
  })
  app.post('/sign-in/passkey', async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const step = stepOf({ request, reply, visit }, form)
    await deps.signInLimiter?.charge(request, reply, signInCharges(clientKey(request.ip), 'passkey'))
    try {
      const account = await signInWithPasskey(deps, passkeyHostOf(request.pdsHost), {
        credential: fieldOf(form, 'credential'),
        useChallenge: (challenge) => useChallenge(deps, challengeUse(step), challenge),
      })
      return await admit(deps, step, { account, trustMs: undefined })
    } catch (error) {
      return askPassword(deps, step, { username: '', alert: refusalOf(error, visit.look) })
    }
  })
}

/** The password was right: asks for a second factor if one is wanted, otherwise signs in. */
async function goOn(
  deps: SignInPageDeps,
  step: Step,
  { account, code, trustMs }: { account: Account; code: string | undefined; trustMs?: number | undefined },
): Promise<FastifyReply> {
  try {
    const { deviceId } = step.visit
    const { trustedBrowserMs: maxMs } = await deps.policyOf(account)
    const isTrusted = await isTrustedDevice(deps.db.pool, { accountId: account.id, deviceId, maxMs })
    if (!isTrusted) await passSecondFactor(deps, account, { code, locale: step.visit.look.locale })
  } catch (error) {
    if (error instanceof FactorRequiredError) return askFactor(deps, step, { account, kinds: error.kinds })
    refusalOf(error, step.visit.look)
    return askFactor(deps, step, { account, kinds: [], alert: textsOf(step).wrongCode })
  }
  return admit(deps, step, { account, trustMs })
}

/** Signs in whoever proved to be the owner, unless the account is barred. */
async function admit(
  deps: SignInPageDeps,
  step: Step,
  { account, trustMs }: { account: Account; trustMs: number | undefined },
): Promise<FastifyReply> {
  try {
    if (account.status === 'takendown' || account.status === 'suspended') throw new AccountTakedownError()
    await deps.admit(account)
  } catch (error) {
    return askPassword(deps, step, { username: '', alert: refusalOf(error, step.visit.look) })
  }
  const { request, reply } = step
  // Whoever knew the browser's cookies before must not be signed in with them now.
  const visit = await visitOf(deps, request, reply, { isNew: true })
  const place = { deviceId: visit.deviceId, address: request.ip }
  await noteSignIn(deps, account, { ...place, trustMs, locale: visit.look.locale })
  const grants = new Grants(deps, request.pdsHost)
  await grants.signIn(visit.deviceId, account.did as Did, { isKept: step.isKept })
  return leadOn(deps, step, { visit, account, prompts: ['login', 'select_account'] })
}

/** Leads on to where the owner was to get; the app's request learns that the owner did what it asks for. */
async function leadOn(
  deps: SignInPageDeps,
  step: Step,
  did: { visit: Visit; account: Account; prompts: readonly ('login' | 'select_account')[] },
): Promise<FastifyReply> {
  const { request, reply, next } = step
  const { visit, account, prompts } = did
  if (!isForApp(next)) return reply.redirect(next, 303)
  const requestUri = new URLSearchParams(next.slice(next.indexOf('?'))).get('request_uri') ?? ''
  await answerPrompt(deps.db, request.pdsHost.id, { requestUri, deviceId: visit.deviceId, account, prompts })
  // Not a redirect: it may lead on to the app, where a form of this page may not be sent.
  const texts = textsOf(step)
  const body = markup`<p class="done" role="status">${texts.signedInAs(account.handle ?? account.did)}</p>
    <p><a href="${next}">${texts.goOn}</a></p>`
  return sendPage(reply, { look: visit.look, title: texts.signedIn, body, goOnTo: next })
}

async function askPassword(
  deps: SignInPageDeps,
  step: Step,
  {
    username,
    alert,
    signedIn = [],
  }: { username: string; alert?: string | Html; signedIn?: readonly DeviceAccount[] },
): Promise<FastifyReply> {
  const { reply, visit, next } = step
  const passkey = await askPasskey(deps, step)
  const texts = textsOf(step)
  const base = { csrf: visit.csrf, next, isKept: step.isKept, texts }
  const isOpen = (await openDomains(deps.directory, step.request.pdsHost.id)).length > 0
  const form = passwordForm({ ...base, username, passkey, alert, isOpen })
  const body = markup`${chooser(base, signedIn)}${form}`
  const page = { look: visit.look, title: texts.title, body, hasPasskeys: true }
  return sendPage(reply, page, alert === undefined ? 200 : 400)
}

async function askPasskey(deps: SignInPageDeps, step: Step): Promise<Html> {
  const challenge = newChallenge(deps, challengeUse(step))
  const options = await passkeyRequest(passkeyHostOf(step.request.pdsHost), challenge)
  const { csrf, look } = step.visit
  const failed = layoutTexts[look.locale].passkeyFailed
  return passkeySignIn({ csrf, next: step.next, isKept: step.isKept, texts: textsOf(step), options, failed })
}

function challengeUse({ request, visit }: Step): ChallengeUse {
  return { host: request.pdsHost, deviceId: visit.deviceId, purpose: 'passkey-use' }
}

async function askFactor(
  deps: SignInPageDeps,
  step: Step,
  { account, kinds, alert }: { account: Account; kinds: readonly FactorKind[]; alert?: string },
): Promise<FastifyReply> {
  const { reply, visit, next } = step
  const passkey = await askPasskey(deps, step)
  const { did } = account
  const until = String(Date.now() + factorWaitMs)
  const pending = deps.signedState.mark('factor', ...pendingParts(step, did, until))
  const texts = textsOf(step)
  const { isKept } = step
  const { trustedBrowserMs } = await deps.policyOf(account)
  const form = { csrf: visit.csrf, next, isKept, texts, did, until, pending, passkey, kinds, alert }
  const body = factorForm({ ...form, trustDays: Math.ceil(trustedBrowserMs / dayMs) })
  const page = { look: visit.look, title: texts.oneMoreStep, body, hasPasskeys: true }
  return sendPage(reply, page, alert === undefined ? 200 : 400)
}

async function chargesOf(
  deps: SignInPageDeps,
  { request, visit }: Step,
  identifier: string,
): Promise<Charge[]> {
  const { deviceId } = visit
  const isKnown = await isKnownBrowser(deps.db.pool, { hostId: request.pdsHost.id, identifier, deviceId })
  return isKnown
    ? knownBrowserCharges(deviceId, identifier)
    : signInCharges(clientKey(request.ip), identifier)
}

function isForApp(next: string): boolean {
  return next.startsWith('/oauth/authorize?')
}

function stepOf(
  visited: Pick<Step, 'request' | 'reply' | 'visit'>,
  form: Readonly<Record<string, string | undefined>>,
): Step {
  return { ...visited, next: nextPage(form['next']), isKept: form['keep'] === 'yes' }
}

function textsOf({ visit }: Step): SignInTexts {
  return signInTexts[visit.look.locale]
}

function pendingParts({ request, visit }: Step, did: string, until: string): string[] {
  return [String(request.pdsHost.id), visit.deviceId, did, until]
}
