import {
  AppPasswordRefusedError,
  addPasskey,
  beginTotp,
  confirmTotp,
  countRecoveryCodes,
  countTrustedDevices,
  createAppPassword,
  describeTotp,
  distrustDevices,
  endSessions,
  findPendingTotp,
  listAppPasswords,
  listFactorKinds,
  listPasskeys,
  passkeyCreation,
  removePasskey,
  removeTotp,
  renewRecoveryCodes,
  revokeAppPassword,
  setEmailFactor,
} from '@rookery/accounts'
import { inTransaction } from '@rookery/db'
import { XrpcError } from '@rookery/http'
import { DomainError } from '@rookery/std'
import { invalidHandle } from '@rookery/syntax'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { mailToken } from '../accounts/account-mail.ts'
import type { SecondFactorDeps } from '../accounts/second-factor.ts'
import { auditedAnnouncer, noteSecurityEvent } from '../accounts/security-event.ts'
import { refusalOf } from './alert.ts'
import { type ChallengeUse, newChallenge, passkeyHostOf, useChallenge } from './challenges.ts'
import { sendPage } from './layout.ts'
import type { Html } from './markup.ts'
import { navOf } from './nav.ts'
import { securityPath } from './next-page.ts'
import { authenticatorPage, secretsPage, securityPage } from './security-views.ts'
import { layoutTexts } from './texts/layout.ts'
import { type SecurityTexts, securityTexts } from './texts/security.ts'
import { type SignedIn, type VisitDeps, fieldOf, formOf, signedInOf, visitOf } from './visit.ts'

export type SecurityPageDeps = VisitDeps & SecondFactorDeps

type Form = Readonly<Record<string, string | undefined>>
type Call = { request: FastifyRequest; reply: FastifyReply; who: SignedIn; form: Form }
/** Does what a form asks for; undefined unless it has answered with a page. */
type Action = (call: Call) => Promise<FastifyReply | undefined>

/** Registers the page where owners change how their accounts are kept safe. */
export function registerSecurity(app: FastifyInstance, deps: SecurityPageDeps): void {
  app.get(securityPath, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const { did, done } = request.query as { did?: unknown; done?: unknown }
    const who = await signedInOf(deps, request, visit, did)
    if (who === undefined) return askSignIn(reply)
    return showSecurity(deps, { request, reply, who }, { done: doneOf(who, done) })
  })
  app.get(`${securityPath}/authenticator`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const who = await signedInOf(deps, request, visit, (request.query as { did?: unknown }).did)
    if (who?.isRecent !== true) return askSignIn(reply, who)
    return showAuthenticator(deps, { request, reply, who })
  })
  const actions = new Map(
    Object.entries({ ...passkeyActions(deps), ...factorActions(deps), ...otherActions(deps) }),
  )
  app.post<{ Params: { '*': string } }>(`${securityPath}/*`, async (request, reply) => {
    const visit = await visitOf(deps, request, reply)
    const form = formOf(deps, request, visit)
    const name = request.params['*']
    const action = actions.get(name)
    if (action === undefined) throw new XrpcError(404, 'NotFound', 'There is no such page')
    const who = await signedInOf(deps, request, visit, fieldOf(form, 'did'))
    if (who?.isRecent !== true) return askSignIn(reply, who)
    return act(deps, { name, action }, { request, reply, who, form })
  })
}

async function act(
  deps: SecurityPageDeps,
  { name, action }: { name: string; action: Action },
  call: Call,
): Promise<FastifyReply> {
  const { who, reply } = call
  try {
    const answered = await action(call)
    if (answered !== undefined) return answered
    return reply.redirect(
      `${securityPath}?${new URLSearchParams({ did: who.account.did, done: name }).toString()}`,
      303,
    )
  } catch (error) {
    return showSecurity(deps, call, { alert: refusalOf(error, who.look) })
  }
}

/** What the functions of the accounts need to tell of what they do. */
function announcer(deps: SecurityPageDeps) {
  return ({ look: { locale } }: SignedIn, action: string) => ({
    ...deps,
    announce: auditedAnnouncer(deps, { template: 'factors-changed', action, locale }),
  })
}

function passkeyActions(deps: SecurityPageDeps): Record<string, Action> {
  const announcing = announcer(deps)
  return {
    'passkeys/add': async ({ request, who, form }) => {
      const host = passkeyHostOf(request.pdsHost)
      await addPasskey(announcing(who, 'account.passkey.add'), host, {
        account: who.account,
        name: fieldOf(form, 'name'),
        answer: {
          credential: fieldOf(form, 'credential'),
          useChallenge: (challenge) => useChallenge(deps, creationUse(request, who), challenge),
        },
      })
      deps.wakeWorkers()
      return undefined
    },
    'passkeys/remove': async ({ who, form }) => {
      const announced = announcing(who, 'account.passkey.remove')
      await removePasskey(announced, who.account, fieldOf(form, 'credentialId'))
      deps.wakeWorkers()
      return undefined
    },
    distrust: async ({ who }) => {
      await distrustDevices(deps.db.pool, who.account.id)
      await noteSecurityEvent(deps.db.pool, who.account, 'account.devices.distrust')
      return undefined
    },
  }
}

function creationUse(request: FastifyRequest, { deviceId }: SignedIn): ChallengeUse {
  return { host: request.pdsHost, deviceId, purpose: 'passkey-create' }
}

function factorActions(deps: SecurityPageDeps): Record<string, Action> {
  const announcing = announcer(deps)
  return {
    'authenticator/begin': async ({ reply, who }) => {
      await beginTotp(deps, who.account)
      return reply.redirect(`${securityPath}/authenticator?did=${encodeURIComponent(who.account.did)}`, 303)
    },
    'authenticator/confirm': async ({ request, reply, who, form }) => {
      const announced = announcing(who, 'account.authenticator.add')
      const code = fieldOf(form, 'code')
      const codes = await confirmTotp(announced, who.account, code).catch((error: unknown) => {
        if (error instanceof DomainError && error.code === 'InvalidToken') return undefined
        throw error
      })
      if (codes === undefined) {
        return showAuthenticator(deps, { request, reply, who }, textsOf(who).wrongCode)
      }
      deps.wakeWorkers()
      return codes.length === 0 ? undefined : showRecoveryCodes(reply, who, codes)
    },
    'authenticator/remove': async ({ who }) => {
      await removeTotp(announcing(who, 'account.authenticator.remove'), who.account)
      deps.wakeWorkers()
      return undefined
    },
    'email-codes/on': async ({ who }) => {
      const announced = announcing(who, 'account.email-codes.on')
      await setEmailFactor(announced, who.account.id, { isOn: true, token: undefined })
      deps.wakeWorkers()
      return undefined
    },
    'email-codes/token': async ({ who }) => {
      await mailToken(deps, who.account, 'update-email', who.look.locale)
      return undefined
    },
    'email-codes/off': async ({ who, form }) => {
      const announced = announcing(who, 'account.email-codes.off')
      await setEmailFactor(announced, who.account.id, { isOn: false, token: fieldOf(form, 'token') })
      deps.wakeWorkers()
      return undefined
    },
    'recovery-codes': async ({ reply, who }) => {
      const codes = await renewRecoveryCodes(announcing(who, 'account.recovery-codes.renew'), who.account)
      deps.wakeWorkers()
      return showRecoveryCodes(reply, who, codes)
    },
  }
}

function otherActions(deps: SecurityPageDeps): Record<string, Action> {
  return {
    'app-passwords': async ({ reply, who, form }) => {
      const { areAppPasswordsAllowed } = await deps.policyOf(who.account)
      if (!areAppPasswordsAllowed) throw new AppPasswordRefusedError(securityTexts.en.noAppPasswords)
      const wanted = { name: fieldOf(form, 'name'), privileged: form['privileged'] === 'yes' }
      const { password } = await createAppPassword(deps, who.account.id, wanted)
      await noteSecurityEvent(deps.db.pool, who.account, 'account.app-password.make', { name: wanted.name })
      const { enterAppPassword, appPassword, kept } = textsOf(who)
      const body = secretsPage({ explanation: enterAppPassword(wanted.name), kept, secrets: [password] })
      return sendPage(reply, { look: who.look, title: appPassword, body })
    },
    'app-passwords/revoke': async ({ who, form }) => {
      const name = fieldOf(form, 'name')
      await revokeAppPassword(deps, who.account.id, name)
      await noteSecurityEvent(deps.db.pool, who.account, 'account.app-password.revoke', { name })
      return undefined
    },
    'sign-out': async ({ reply, who }) => {
      await inTransaction(deps.db.pool, async (tx) => {
        await endSessions(tx, who.account.id)
        await noteSecurityEvent(tx, who.account, 'account.sign-out-everywhere')
      })
      return askSignIn(reply, who)
    },
  }
}

async function showSecurity(
  deps: SecurityPageDeps,
  { request, reply, who }: Omit<Call, 'form'>,
  said: { done?: string | undefined; alert?: string | Html },
): Promise<FastifyReply> {
  const { account, csrf, look } = who
  const texts = textsOf(who)
  const { pool } = deps.db
  const challenge = newChallenge(deps, creationUse(request, who))
  const [kinds, recoveryCodes, trustedDevices, passkeys, passkeyOptions, appPasswords, policy] =
    await Promise.all([
      listFactorKinds(pool, account),
      countRecoveryCodes(pool, account.id),
      deps
        .policyOf(account)
        .then(({ trustedBrowserMs }) => countTrustedDevices(pool, account.id, trustedBrowserMs)),
      listPasskeys(pool, account.id),
      passkeyCreation(pool, passkeyHostOf(request.pdsHost), { account, challenge }),
      listAppPasswords(deps, account.id),
      deps.policyOf(account),
    ])
  const { did, email } = account
  const body = securityPage({
    ...said,
    csrf,
    did,
    texts,
    handle: account.handle ?? invalidHandle,
    email,
    isEmailConfirmed: account.email_confirmed_at !== null,
    kinds,
    recoveryCodes,
    trustedDevices,
    passkeys,
    passkeyOptions,
    passkeyFailed: layoutTexts[look.locale].passkeyFailed,
    appPasswords,
    areAppPasswordsAllowed: policy.areAppPasswordsAllowed,
  })
  const nav = navOf(securityPath, { did, locale: look.locale })
  const page = { look, title: texts.title, body, nav, hasPasskeys: true }
  return sendPage(reply, page, said.alert === undefined ? 200 : 400)
}

async function showAuthenticator(
  deps: SecurityPageDeps,
  { request, reply, who }: Omit<Call, 'form'>,
  alert?: string,
): Promise<FastifyReply> {
  const { account, csrf, look } = who
  const texts = textsOf(who)
  const secret = await findPendingTotp(deps, account)
  if (secret === undefined) return reply.redirect(securityPath, 303)
  const label = account.handle ?? account.did
  const shown = describeTotp(secret, { issuer: request.pdsHost.hostname, label })
  const body = authenticatorPage({ csrf, did: account.did, texts, secret: shown, alert })
  return sendPage(reply, { look, title: texts.authenticator, body }, alert === undefined ? 200 : 400)
}

function showRecoveryCodes(reply: FastifyReply, who: SignedIn, secrets: string[]): FastifyReply {
  const { keepRecoveryCodes, recoveryCodes, kept } = textsOf(who)
  const body = secretsPage({ explanation: keepRecoveryCodes, kept, secrets })
  return sendPage(reply, { look: who.look, title: recoveryCodes, body })
}

function textsOf({ look }: SignedIn): SecurityTexts {
  return securityTexts[look.locale]
}

function doneOf(who: SignedIn, done: unknown): string | undefined {
  const { done: texts } = textsOf(who)
  return typeof done === 'string' && Object.hasOwn(texts, done)
    ? texts[done as keyof typeof texts]
    : undefined
}

function askSignIn(reply: FastifyReply, who?: SignedIn): FastifyReply {
  const name =
    who === undefined ? '' : `&username=${encodeURIComponent(who.account.handle ?? who.account.did)}`
  return reply.redirect(`/sign-in?next=${encodeURIComponent(securityPath)}${name}`, 303)
}
